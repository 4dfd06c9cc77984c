"""Many hosts at once, a bounded number of them under way; what each answers is handed out as it comes.

For the cli, which has the main thread: it hears every answer there, so that it alone prints, and Ctrl-C is
seen there within a moment. Prints nothing.

    waiting -> looking -> changing -> ended

`stop()` lets go those that wait or look, as they are, and brings those being changed to their end; `leave()`
waits for nobody.
"""

from __future__ import annotations

import queue
import threading
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Generic, TypeVar

from x11fwd.errors import Interrupted, UsageError, X11fwdError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from x11fwd.inventory import InventoryHost
    from x11fwd.target import Target

__all__ = ["JOBS", "Fleet", "Member", "at_once", "room_for"]

R = TypeVar("R")
JOBS = 30
"""How many hosts are worked on at the same time, unless `--jobs` says otherwise."""
_FILES, _FILES_A_HOST = 64, 12  # open files of our own, and of one host under way
_LOOK = 0.2  # seconds between two looks for Ctrl-C


@dataclass(frozen=True)
class Member:
    """One host of a fleet.

    Attributes:
        target: its `typed` is the name by which reports call it, and no other member has the same.
        host: what an inventory says of it; None for one typed on the command line.
    """

    target: Target
    host: InventoryHost | None = None

    @property
    def name(self) -> str:
        """What it is called."""
        return self.target.typed


class _State(Enum):
    WAITING = "waiting"
    LOOKING = "looking"
    CHANGING = "changing"
    ENDED = "ended"


class Fleet(Generic[R]):
    """The hosts of one command.

    Args:
        members: no name twice.
        failed: makes the answer of a host that has none itself, because of Ctrl-C or a fault of ours.
        stopping: told once, in the main thread, that Ctrl-C was seen, with the hosts still being changed.
    """

    def __init__(
        self,
        members: Sequence[Member],
        failed: Callable[[Member, X11fwdError], R],
        stopping: Callable[[Sequence[str]], None] = lambda _names: None,
    ) -> None:
        self.members = tuple(members)
        self._failed, self._stopping = failed, stopping
        self._states = {member.name: _State.WAITING for member in members}
        self._lock = threading.Lock()
        self._answers: queue.SimpleQueue[tuple[Member | None, R | BaseException]] = queue.SimpleQueue()
        self._asked_to_stop = threading.Event()
        self._asked_to_leave = False

    # --- for the main thread

    @property
    def stop_asked(self) -> threading.Event:
        """Set once the first Ctrl-C has come."""
        return self._asked_to_stop

    def stop(self) -> None:
        """Begin no other host; those being changed are brought to their end. Safe in a signal handler."""
        self._asked_to_stop.set()

    def leave(self) -> None:
        """Wait for nobody any more. Safe in a signal handler."""
        self._asked_to_leave = True
        self._asked_to_stop.set()

    def changing(self) -> tuple[str, ...]:
        """The hosts that are being changed now."""
        with self._lock:
            return tuple(name for name, state in self._states.items() if state is _State.CHANGING)

    def answers(self, start: Callable[[Fleet[R]], None]) -> Iterator[tuple[Member, R]]:
        """Each member once with its answer, as they come.

        Args:
            start: gets the work going on threads of its own; see `at_once`.

        Raises:
            X11fwdError: what concerns the whole command, such as a playbook that cannot be read.
        """
        start(self)
        left = len(self.members)
        swept = False
        while left:
            try:
                member, answer = self._answers.get(timeout=_LOOK)
            except queue.Empty:
                pass
            else:
                if isinstance(answer, BaseException) or member is None:
                    raise answer if isinstance(answer, BaseException) else RuntimeError("no member")
                left -= 1
                yield member, answer
                continue
            if self._asked_to_leave or (self._asked_to_stop.is_set() and not swept):
                gone = self._sweep(everybody=self._asked_to_leave)
                if not swept and not self._asked_to_leave:
                    self._stopping(self.changing())
                swept = True
                for one, why in gone:
                    left -= 1
                    yield one, self._failed(one, why)

    def _sweep(self, *, everybody: bool) -> list[tuple[Member, Interrupted]]:
        """Let go of those that nothing was done to, or of all."""
        gone = []
        with self._lock:
            for member in self.members:
                state = self._states[member.name]
                if state is _State.ENDED or (state is _State.CHANGING and not everybody):
                    continue
                self._states[member.name] = _State.ENDED
                gone.append((member, _why(state)))
        return gone

    # --- for the threads that do the work

    def begin(self, name: str) -> bool:
        """It is this host's turn; False where it was let go before."""
        with self._lock:
            if self._asked_to_stop.is_set() or self._states[name] is not _State.WAITING:
                return False
            self._states[name] = _State.LOOKING
            return True

    def change(self, name: str) -> None:
        """From here on the host is waited for, whatever happens; call it before anything is changed.

        Raises:
            Interrupted: nothing may be begun any more.
        """
        with self._lock:
            if self._asked_to_stop.is_set() or self._states[name] is _State.ENDED:
                raise _why(_State.LOOKING)
            self._states[name] = _State.CHANGING

    def put(self, member: Member, answer: R) -> None:
        """The host's answer, from any thread; one that comes after it was let go is forgotten."""
        with self._lock:
            if self._states[member.name] is _State.ENDED:
                return
            self._states[member.name] = _State.ENDED
        self._answers.put((member, answer))

    def fail(self, member: Member, error: BaseException) -> None:
        """What was raised instead of an answer; what was typed wrong ends the whole command."""
        if isinstance(error, UsageError) or not isinstance(error, Exception):
            self._answers.put((None, error))
        elif isinstance(error, X11fwdError):
            self.put(member, self._failed(member, error))
        else:
            words = f"x11fwd itself failed: {type(error).__name__}: {error}"
            hint = "`x11fwd --debug` with this host alone shows where; please report it with that"
            self.put(member, self._failed(member, X11fwdError(words, hint=hint)))


def _why(state: _State) -> Interrupted:
    if state is _State.CHANGING:
        return Interrupted(
            "left in the middle of a change, which the host ends or takes back by itself",
            hint="`--resume` looks at it again",
        )
    return Interrupted(
        "stopped before its turn" if state is _State.WAITING else "stopped before anything was changed"
    )


def room_for(jobs: int) -> int:
    """How many of so many hosts there are open files for; this process's limit is raised where it may be."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return jobs
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES + _FILES_A_HOST * jobs
    if soft == resource.RLIM_INFINITY or wanted <= soft:
        return jobs
    more = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (more, hard))
        soft = more
    except (ValueError, OSError):  # macOS has a second limit, kern.maxfilesperproc
        pass
    return max(1, min(jobs, (soft - _FILES) // _FILES_A_HOST))


def at_once(work: Callable[[Member], R], jobs: int) -> Callable[[Fleet[R]], None]:
    """Let `jobs` threads take the members one after the other.

    Threads, connections and what is known of a host exist for `jobs` hosts at most, however many there are.

    Args:
        work: one host's whole way.
    """

    def start(fleet: Fleet[R]) -> None:
        waiting = iter(fleet.members)
        turn = threading.Lock()

        def take() -> None:
            while True:
                with turn:
                    member = next(waiting, None)
                if member is None or not fleet.begin(member.name):
                    return
                try:
                    fleet.put(member, work(member))
                except BaseException as error:  # noqa: BLE001  the host's answer, or raised in the main thread
                    fleet.fail(member, error)

        for number in range(room_for(max(1, min(jobs, len(fleet.members))))):
            # a daemon: who leaves does not wait for a host that says nothing
            threading.Thread(target=take, name=f"x11fwd-host-{number}", daemon=True).start()

    return start
