"""The far half's orders and its start; the last part of the program that is sent.

Orders: {"do": "list"}; {"do": "stop", "which": [{"pid", "ticks"}]}; {"do": "open", "folder", "only",
"install", "again": {"pid", "ticks"} or null}. Messages: {"doing"}, {"servers", "host"}, {"stopped", "left"},
{"ready"}, {"problem", "hint"}, {"gone"}.
"""

import os
import socket
import sys
import urllib.parse
from typing import Any, Callable, Dict, List, Optional

from x11fwd.notebook.far.installing import install
from x11fwd.notebook.far.relay import Relay
from x11fwd.notebook.far.servers import Server, running, same
from x11fwd.notebook.far.starting import FailedError, Lock, installed, program, records, start, stop


def work(relay: Relay, order: "Dict[str, Any]") -> None:
    """Do one order, and say what came of it."""
    try:
        if order["do"] == "list":
            found = running(records())
            relay.say(servers=[one.described() for one in found], host=socket.gethostname())
        elif order["do"] == "stop":
            end_servers(relay, order["which"])
        else:
            lead_in(relay, order)
    except FailedError as error:
        relay.say(problem=error.problem, hint=error.hint, change=error.change)
    except OSError as error:
        relay.say(problem="%s: %s" % (error.filename or "over there", error.strerror or error), hint="")
    except Exception as error:
        relay.say(problem="the far half itself failed: %r" % (error,), hint="")


def end_servers(relay: Relay, which: "List[Dict[str, Any]]") -> None:
    asked = {(one["pid"], one["ticks"]) for one in which}
    stopped: List[int] = []
    left: List[int] = []
    for server in running(records()):
        if (server.pid, server.ticks) in asked:
            relay.say(doing="stopping %s" % server.kind)
            (stopped if stop(server) else left).append(server.pid)
    relay.say(stopped=stopped, left=left)


def lead_in(relay: Relay, order: "Dict[str, Any]") -> None:
    """Find or start a server, and let the browser in."""
    stopping = relay.stopping.is_set
    warning, started = "", False
    typed = str(order.get("folder") or "")
    folder = os.path.realpath(os.path.join(os.path.expanduser("~"), os.path.expanduser(typed)))
    if typed and not os.path.exists(folder):
        raise FailedError("there is no %s" % typed, "`--dir` names a folder or a notebook over there")
    again = order.get("again")
    with Lock("lock", stopping):
        if again:
            server = next((one for one in running(records(), again) if same(one, again)), None)
            if server is None:
                relay.say(gone=True)
                return
        else:
            server = usable(running(records()), folder if typed else "")
        if server is None:
            server, warning = begin(relay.say, stopping, order, folder)
            started = True
    if server.state == "unguarded":
        raise FailedError(
            "the Jupyter server in %s asks for neither token nor password; forwarded, it would be open to all"
            % server.root,
            "remove the empty `token` from ~/.jupyter over there, stop that server, and try again",
        )
    relay.reach, relay.alive = server.connect, server.alive
    ready = server.described()
    ready.update(
        started=started,
        warning=warning,
        secure=server.secure,
        token=server.token,
        password=server.state == "password" or server.password,
        page=page(server, folder if typed else ""),
        host=socket.gethostname(),
    )
    relay.say(ready=ready)


def begin(
    say: "Callable[..., None]", stopping: "Callable[[], bool]", order: "Dict[str, Any]", folder: str
) -> "Any":
    """A new server."""
    if order.get("install") and installed() is None:
        try:
            install(say, stopping)
        except FailedError as error:
            error.change = True
            raise
    chosen = program(bool(order.get("only")) and not order.get("install"))
    if chosen is None:
        raise FailedError(
            "there is no JupyterLab and no Notebook"
            + (" in %s" % sys.executable if order.get("only") else ""),
            "`--install` puts one into ~/.local/share/x11fwd/jupyter (240 MB, from PyPI)",
        )
    root = os.path.realpath(os.path.expanduser("~"))
    home = Server("", {"pid": os.getpid(), "root_dir": root})
    if not home.holds(folder):
        root = folder if os.path.isdir(folder) else os.path.dirname(folder)
    return start(chosen, root, say, stopping)


def usable(found: "List[Server]", folder: str) -> "Optional[Server]":
    """The first that can show the folder (any, where none is asked for); one without a guard comes last."""
    fit = [one for one in found if not folder or one.holds(folder)]
    return next((one for one in fit if one.state != "unguarded"), fit[0] if fit else None)


def page(server: Server, folder: str) -> str:
    """The path of the page that shows the folder."""
    inside = os.path.relpath(folder, os.path.realpath(server.root)) if folder else "."
    words = "lab/tree/" if server.kind == "JupyterLab" else "tree/"
    if inside == ".":
        words, inside = words.replace("lab/tree/", "lab").rstrip("/"), ""
    return server.base.rstrip("/") + "/" + words + urllib.parse.quote(os.fsencode(inside))


def main() -> int:
    Relay(0, 1, work).run()
    return 0
