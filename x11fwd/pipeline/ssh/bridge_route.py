"""`x11fwd ssh` over the bridge: one login, and side by side on it the session and the channel of the bridge.

`ssh_session` calls `run`. The first session to a host logs in, with ssh's own questions, and forks the local
half (`x11fwd.bridge.session`), which gets ready meanwhile; the others go through the same connection and get
the same display. Nothing waits for the bridge here: the session's command does so over there.
"""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

from x11fwd.bridge.session import memory
from x11fwd.pipeline.ssh import bridge_command as command
from x11fwd.pipeline.ssh import bridge_folder as folders
from x11fwd.pipeline.ssh import bridge_words as words
from x11fwd.pipeline.ssh.bridge_half import end_orphan, fork_half, sweep, to_background
from x11fwd.pipeline.ssh.bridge_session import LOST, Foreground, Verdict
from x11fwd.pipeline.ssh.link import cache_folder
from x11fwd.pipeline.ssh.relay import end_like, write_all

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from x11fwd.pipeline.ssh.command_line import CommandLine

_MUTE_LEVELS = frozenset({"quiet", "fatal"})
_GUEST = (
    20.0  # seconds that a session waits for another one's login, a person at its password prompt included
)
_FIRST = 30.0  # seconds that a session with input that cannot be sent twice waits for the display's fate
_PROBE = 30.0  # seconds for sshd to say whether it forwards X11
_SETTLED = 30.0  # seconds for the news why a session had no display; it is on its way
_ATTEMPTS = 3
_NOBODY = "-"  # the token where no session waits, see x11fwd.bridge.bootstrap.starter
_LONGEST = 20_000  # characters of a command: in octal, quoted twice, they still fit one argument of execve(2)


class Call:
    """One call of `x11fwd ssh`.

    Attributes:
        config: what `ssh -G` says, first value of each keyword.
        environ: with DISPLAY and XAUTHORITY of the display to use.
        forwarding: the words that the native route would put in front, for a session that has to take it.
        trusted: programs may do what those of this machine may (ssh -Y).
        asks: sshd is to be asked first whether it forwards X11; where it does not, this asks the person
            whether the bridge may walk around that. None where that is settled.
        nodes: how the computers of a cluster that may come call the one over there, empty where none may.
        note: shows one clause where the person has asked for reasons.
    """

    __slots__ = ("asks", "config", "environ", "forwarding", "line", "nodes", "note", "trusted")

    def __init__(
        self,
        line: CommandLine,
        config: Mapping[str, str],
        environ: Mapping[str, str],
        forwarding: list[str],
        note: Callable[[str], None],
        *,
        trusted: bool,
        asks: Callable[[], bool] | None = None,
        nodes: str = "",
    ) -> None:
        self.asks = asks
        self.nodes = nodes
        self.line = line
        self.config = config
        self.environ = environ
        self.forwarding = forwarding
        self.note = note
        self.trusted = trusted

    @property
    def place(self) -> tuple[str, str, str]:
        return self.config.get("hostname", ""), self.config.get("port", ""), self.config.get("user", "")

    @property
    def mute(self) -> bool:
        return self.line.has("q") or self.config.get("loglevel", "").lower() in _MUTE_LEVELS


def run(call: Call) -> int | str:
    """The whole session. Returns its exit status, or why it must go the native way, with nothing done yet."""
    reason = words.needs_plain_ssh(call.line, call.config)
    if reason:
        return reason
    if len(words.remote_command(call.line, call.config)) > _LONGEST:
        return "its command is too long to be packed"
    known = memory.recall(cache_folder(call.environ), call.place)
    try:
        return _meet(call, known)
    except OSError as error:
        return f"there is no place for its sockets: {error.strerror or error}"


def _meet(call: Call, known: memory.Known) -> int:
    """Find the local half of this host, or be the first. Raises OSError where no folder can be had."""
    kind = ("trusted" if call.trusted else "untrusted") + call.nodes
    folder = folders.folder_for(call.config, call.environ["DISPLAY"], kind, call.environ)
    guest: Foreground | None = None
    for _ in range(_ATTEMPTS):
        folder.lock()
        if guest is not None and guest.stopped:
            return end_like(-guest.stopped)
        link = folder.call()
        if link is None and folders.answers(folder.master) and not folder.deserted():
            break  # the local half was killed, and a session of it goes on
        folder.hold()
        if link is None:
            return _first(call, known, folder)
        folder.unlock()
        guest = Foreground(link, call.environ, mute=call.mute)
        verdict = guest.wait_for_verdict(_GUEST, after_login=_FIRST)
        if guest.stopped:
            return end_like(-guest.stopped)
        if verdict is not None:
            call.note("bridge: open already for another session to this host, whose display this one shares")
            if words.wants_background(call.line, call.config):
                to_background()
            return _finish(guest, _with_verdict(call, guest, verdict), call, folder)
        link.close()
        folder.release()
        if not guest.lost:  # somebody sits at its password prompt
            break
    folder.unlock()
    folder = folders.in_base(f"{os.path.basename(folder.path)}-{os.getpid()}", call.environ)  # noqa: PTH119
    folder.lock()
    folder.hold()
    return _first(call, known, folder)


def _first(call: Call, known: memory.Known, folder: folders.Folder) -> int:
    """Log in and start the local half; the folder is locked."""
    control = call.config.get("controlpath", "none")
    own = control in {"", "none"} or not folders.answers(control)
    if own:
        control = folder.master
        end_orphan(folder, call.environ)
    token = os.urandom(16).hex() if _waits(call, known) else _NOBODY
    meeting = command.meeting(token, strict=not known.ran, mute=call.mute)
    remote = _wrapped(call, meeting)  # now, as ssh will take a while
    listener = folder.listen()
    ours, theirs = socket.socketpair()
    fork_half(call, known, folder, listener, theirs, token=token, control=control, own=own)
    listener.close()
    theirs.close()
    folder.unlock()
    fronts: list[Foreground] = []
    front = Foreground(
        ours, call.environ, lambda verdict: _report(call, known, fronts, verdict), mute=call.mute
    )
    fronts.append(front)
    if words.wants_terminal(call.line, call.config) and not _terminal(call) and not call.mute:
        # the login has no session, and ssh says this before all else
        write_all(2, b"Pseudo-terminal will not be allocated because stdin is not a terminal.\r\n")
    if own:
        talks = call.config.get("permitlocalcommand") == "yes"
        argv = words.master_words(call.line, call.config, control, call.forwarding)
        status = front.login(argv, talks=talks)
        if status or front.stopped:
            return end_like(status or -front.stopped)
    else:
        call.note(f"bridge: over your own open connection ({control})")
    asks = call.asks
    if asks is not None and not front.ask(lambda: _may(call, control, asks)):
        return _finish(front, _natively(call, front, control), call, folder)
    if words.wants_background(call.line, call.config):
        to_background()
    front.logged_in()
    status = _session(call, known, front, control, remote, token=token)
    return _finish(front, status, call, folder)


def _may(call: Call, control: str, asks: Callable[[], bool]) -> bool:
    """Whether the bridge walks around nobody's decision, or the person says that it may."""
    from x11fwd.bridge.session.channel import said_by
    from x11fwd.pipeline.ssh import memory as hosts

    errors = said_by(words.probe_words(call.line, call.config, control), call.environ, _PROBE)
    if errors is None:
        return True
    granted = b"X11 forwarding request failed" not in errors
    host, port, _ = call.place
    hosts.remember(host, port, call.environ, granted=granted)
    return granted or asks()


def _session(
    call: Call, known: memory.Known, front: Foreground, control: str, remote: str, *, token: str
) -> int:
    """The first session: side by side with the bridge where that loses nothing."""
    strict = not known.ran
    if not _waits(call, known):
        # a pipe: were its bytes sent to a session without a display, nobody could send them again
        verdict = front.wait_for_verdict(_FIRST)
        return _with_verdict(call, front, verdict or _silence(control))
    status = _run(call, front, control, remote, native=False)
    if not strict:
        if front.verdict is None and status != LOST:
            front.wait_for_verdict(0)
        return status
    if status != command.NO_DISPLAY:
        return status
    verdict = front.verdict or front.wait_for_verdict(_SETTLED) or _silence(control)
    if not verdict.ready:
        return _with_verdict(call, front, verdict)
    # with a display it was the user's own command that ended so, unless the display came too late for it
    remote = _wrapped(call, command.again(token, verdict.display, verdict.authority))
    return _run(call, front, control, remote, native=False)


def _with_verdict(call: Call, front: Foreground, verdict: Verdict) -> int:
    """A session whose display is known before it starts; without one ssh's own forwarding is asked for."""
    if front.stopped:
        return -front.stopped
    if verdict.ready:
        remote = _wrapped(call, command.known(verdict.display, verdict.authority))
        return _run(call, front, verdict.control, remote, native=False)
    front.tell_now(f"no bridge to this host ({verdict.reason}); windows take ssh's own forwarding")
    return _natively(call, front, verdict.control)


def _natively(call: Call, front: Foreground, control: str) -> int:
    """The session as plain ssh has it, over the connection that is there."""
    return _run(call, front, control, words.remote_command(call.line, call.config) or None, native=True)


def _finish(front: Foreground, status: int, call: Call, folder: folders.Folder) -> int:
    if not front.stopped and status >= 0:
        status = front.linger(status)
    if front.lost:
        sweep(folder, call.environ)  # the local half was killed, and cannot do it
    return end_like(status)


def _silence(control: str) -> Verdict:
    return Verdict(f"none {control}\tthe remote half has not answered")


def _report(call: Call, known: memory.Known, front: list[Foreground], verdict: Verdict) -> None:
    """The display's fate, when it is known; the session may be running already."""
    from x11fwd.pipeline.ssh import memory as hosts

    host, port, _ = call.place
    if verdict.ready:
        call.note(f"bridge: the display over there is {verdict.display}, its cookie in {verdict.authority}")
        hosts.remember(host, port, call.environ, helpless="")
        return
    if verdict.never:
        hosts.remember(host, port, call.environ, helpless=verdict.reason)
    if known.ran:
        # this session goes on without a display, because its input may be on its way
        for one in front:
            one.tell_later(f"no window can open in this session: {verdict.reason}")


def _waits(call: Call, known: memory.Known) -> bool:
    """The session starts beside the bridge and waits over there, and does not wait here."""
    return known.ran or _input_is_kept(call)


def _input_is_kept(call: Call) -> bool:
    """A second session would get the same input as the first: a terminal's, or none."""
    null = call.line.has("n") or call.config.get("stdinnull") == "yes"
    if null or words.wants_background(call.line, call.config) or os.isatty(0):
        return True
    try:
        return os.path.samestat(os.fstat(0), os.stat(os.devnull))  # noqa: PTH116
    except OSError:
        return False


def _terminal(call: Call) -> bool:
    """There will be one over there, as ssh decides it."""
    if words.forces_terminal(call.config):
        return True
    return words.wants_terminal(call.line, call.config) and not _no_terminal_here(call)


def _no_terminal_here(call: Call) -> bool:
    return not os.isatty(0) or call.line.has("n") or words.wants_background(call.line, call.config)


def _wrapped(call: Call, before: str) -> str:
    text = words.remote_command(call.line, call.config)
    bare = words.forces_terminal(call.config) and not os.isatty(0)
    return command.wrapped(before, text, bare_terminal=bare)


def _run(call: Call, front: Foreground, control: str, remote: str | None, *, native: bool) -> int:
    terminal = _terminal(call)
    argv = words.session_words(call.line, call.config, control, remote, native=native, terminal=terminal)
    return front.session(argv, terminal=terminal, copies=not terminal and not _no_terminal_here(call))
