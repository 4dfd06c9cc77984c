"""The life of the process that owns the local half: `pipeline.ssh` forks it and calls `serve`."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from x11fwd.bridge.assembly.assemble import assemble
from x11fwd.bridge.bootstrap.starter import Reason, Starter
from x11fwd.bridge.local.half import LocalHalf
from x11fwd.bridge.local.server import XServer
from x11fwd.bridge.session.channel import Channel, run_quietly
from x11fwd.bridge.session.memory import Known, remember
from x11fwd.bridge.session.reception import Reception
from x11fwd.bridge.session.trust import Screen
from x11fwd.errors import X11fwdError

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Mapping, Sequence

_EXIT = 30.0  # seconds that the master has to end; else it would stay for good
# What stays so; that no folder takes a file may be a disk that is full today.
HOPELESS = frozenset({Reason.NO_PYTHON, Reason.OLD_PYTHON})


@dataclass(frozen=True)
class Task:
    """What the first session decided.

    Attributes:
        folder: where all sessions to this host meet.
        control: socket of ssh's master.
        channel: the words of ssh for the channel, to which the bootstrap's command is added.
        leave: the words that end the master; empty where it is the user's own.
        display, environ: this machine's display and the environment that leads to it.
        trusted: programs get the real cookie's rights.
        token: where the first session waits over there; it names the bridge's session as well.
        place: hostname, port and user as ssh sees them.
        cache: x11fwd's cache folder.
        known: what was remembered of the host.
        nodes: how the computers of a cluster that may come call the one over there, empty where none may.
        measured: told the seconds of round trip between the halves, for the next login's choice of the route.
    """

    folder: str
    control: str
    channel: Sequence[str]
    leave: Sequence[str]
    display: str
    environ: Mapping[str, str] = field(repr=False)
    trusted: bool
    token: str
    place: tuple[str, str, str]
    cache: str | None
    known: Known
    nodes: str = ""
    measured: Callable[[float], None] = lambda _seconds: None


class _Lock:
    """The folder's lock, as the local half takes it at its end."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._handle = -1

    def take(self) -> bool:
        try:
            handle = os.open(f"{self._folder}/lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            return True  # the folder is gone: nobody can come
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(handle)
            return False
        self._handle = handle
        return True

    def give(self) -> None:
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1


def serve(listener: socket.socket, first: socket.socket, task: Task) -> None:
    """Be the local half until the last session has left; the folder and the master go with it.

    Args:
        listener: listens on the folder's control socket.
        first: leads to the session that has started us.
    """
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)
    lock = _Lock(task.folder)
    bridge = _Bridge(task)
    reception = Reception(listener, first, lock.take, lock.give, bridge.stop)
    bridge.reception = reception
    reception.start()
    try:
        bridge.run()
    except X11fwdError as error:
        bridge.broke(error.message)
    except OSError as error:
        bridge.broke(f"the bridge has ended: {error.strerror or error}")
    except Exception as error:  # noqa: BLE001  a fault of ours must not be silence for the person
        bridge.broke(f"the bridge has a fault of its own: {type(error).__name__}: {error}")
    reception.ended.wait()
    if task.leave:
        with contextlib.suppress(OSError):
            run_quietly(task.leave, task.environ, _EXIT)
    remove_folder(task.folder)
    lock.give()
    bridge.close()  # without the lock, because it may take a while


def remove_folder(folder: str) -> None:
    """Take away the folder where the sessions to a host met (`bridge_folder`); only under its lock."""
    for name in ("c", "m", "s", "lock"):
        with contextlib.suppress(OSError):
            os.unlink(f"{folder}/{name}")  # noqa: PTH108  as in bridge_folder
    with contextlib.suppress(OSError):
        os.rmdir(folder)  # noqa: PTH106
        os.rmdir(folder.rpartition("/")[0])  # noqa: PTH106  fails where there are others


class _Bridge:
    """Screen, channel and local half."""

    reception: Reception

    def __init__(self, task: Task) -> None:
        self._task = task
        self._screen: Screen | None = None
        self._channel: Channel | None = None
        self._half: LocalHalf | None = None
        self._stopping = threading.Event()

    def run(self) -> None:
        """From the cookie to the end of the link; only what went wrong is told.

        Raises:
            X11fwdError, OSError: the X server, ssh or a pipe.
        """
        task, reception = self._task, self.reception
        self._screen = Screen(task.display, task.environ, trusted=task.trusted)
        server = XServer(self._screen.open, self._screen.name, self._screen.data)
        known = task.known
        program = assemble(task.cache)
        starter = Starter(
            program,
            kept=known.digest == program.digest,
            preferred=known.number,
            token=task.token,
            nodes=task.nodes,
        )
        self._half = half = LocalHalf(server, task.token, self._changed)
        reception.login.wait()
        if self._stopping.is_set():
            return
        self._channel = channel = Channel([*task.channel, starter.command], task.environ)
        reception.listen_to(channel.errors)
        why = half.run(
            channel.read, channel.write, lambda data: self._hear(starter, data), first=starter.first
        )
        reception.programs(0)
        if half.round_trip is not None:
            task.measured(half.round_trip)
        if half.ready is not None:
            digest = program.digest if starter.kept else ""
            remember(task.cache, task.place, Known(half.ready.number, digest))
        if self._stopping.is_set():
            return
        if half.ready is not None:
            reception.over(task.control, f"the bridge has ended: {why or 'the remote half has left'}")
        elif starter.refused is not None:
            refused = starter.refused
            reception.none(task.control, refused.sentence, never=refused.reason in HOPELESS)
        else:
            reception.none(task.control, self._last_words(channel) or why)

    def broke(self, sentence: str) -> None:
        """Something ended it that is no ordinary end."""
        self.reception.over(self._task.control, sentence)
        self.reception.programs(0)

    def stop(self) -> None:
        """Nobody is left; called by the reception's thread."""
        self._stopping.set()
        half = self._half
        if half is not None:
            with contextlib.suppress(OSError):
                half.stop()

    def close(self) -> None:
        if self._channel is not None:
            self._channel.close()
        if self._screen is not None:
            self._screen.close()

    def _changed(self) -> None:
        half = self._half
        if half is None:
            return
        if half.ready is not None and not self.reception.decided:
            ready = half.ready
            if "\t" in ready.display + ready.authority or "\n" in ready.display + ready.authority:
                self.reception.none(self._task.control, "the remote half names an impossible display")
                return
            self.reception.ready(self._task.control, ready.display, ready.authority)
        self.reception.programs(half.programs)

    def _hear(self, starter: Starter, data: bytes) -> bool:
        """What comes before the link begins. The block may stand among the link's bytes, see `Starter`."""
        fed = starter.feed(data)
        half = self._half
        if half is not None:
            half.inject(fed.send)
        return starter.refused is None

    def _last_words(self, channel: Channel) -> str:
        """ssh's, once it has ended; else those of whatever ran over there."""
        channel.close()
        return self.reception.heard()
