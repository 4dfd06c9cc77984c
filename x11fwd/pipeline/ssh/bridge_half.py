"""The local half's process and what is left of one that was killed; `bridge_route` uses it."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

from x11fwd.pipeline.ssh import bridge_folder as folders
from x11fwd.pipeline.ssh import bridge_words as words
from x11fwd.pipeline.ssh.link import cache_folder, remember_round_trip

if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping

    from x11fwd.bridge.session.memory import Known
    from x11fwd.pipeline.ssh.bridge_route import Call

_SETTLED = 30.0  # seconds for an old master to end; else it would stay for good


def to_background() -> None:
    """As `ssh -f` once it is logged in: the prompt comes back, the session goes on without a terminal."""
    if os.fork():
        os._exit(0)
    os.setsid()
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.close(null)


def sweep(folder: folders.Folder, environ: Mapping[str, str]) -> None:
    """What a local half that was killed has left, where this session was the last one."""
    from x11fwd.bridge.session.process import remove_folder

    folder.release()
    try:
        folder.lock()
    except OSError:
        return
    link = folder.call()
    if link is not None:
        link.close()  # another session has begun anew
    elif folder.deserted():
        end_orphan(folder, environ)
        remove_folder(folder.path)
    folder.unlock()


def end_orphan(folder: folders.Folder, environ: Mapping[str, str]) -> None:
    """A master whose local half was killed; only under the lock, and where no session goes over it."""
    if not folders.answers(folder.master):
        return
    from x11fwd.bridge.session.channel import run_quietly

    run_quietly(words.exit_words(folder.master), environ, _SETTLED)


def fork_half(
    call: Call,
    known: Known,
    folder: folders.Folder,
    listener: socket.socket,
    first: socket.socket,
    *,
    token: str,
    control: str,
    own: bool,
) -> None:
    """Start the local half's process: nobody's terminal, nobody's streams, none of our descriptors."""
    if os.fork():
        return
    try:
        # The session's handlers are not for here: one raises, and those of a guest that became the first
        # write to a descriptor that will be another one here.
        signal.set_wakeup_fd(-1)
        for one in (signal.SIGTERM, signal.SIGCHLD, signal.SIGUSR1, signal.SIGUSR2):
            signal.signal(one, signal.SIG_DFL)
        os.setsid()
        null = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(null, stream)
        low, high = sorted((listener.fileno(), first.fileno()))
        os.closerange(3, low)
        os.closerange(low + 1, high)
        os.closerange(high + 1, 1024)
        os.chdir("/")
        from x11fwd.bridge.session.process import Task, serve

        task = Task(
            folder=folder.path,
            control=control,
            channel=words.channel_words(call.line, call.config, control),
            leave=words.exit_words(control) if own else [],
            display=call.environ["DISPLAY"],
            environ=dict(call.environ),
            trusted=call.trusted,
            token=token,
            place=call.place,
            cache=cache_folder(call.environ),
            known=known,
            nodes=call.nodes,
            measured=lambda seconds: remember_round_trip(*call.place[:2], seconds, call.environ),
        )
        serve(listener, first, task)
    finally:
        os._exit(0)
