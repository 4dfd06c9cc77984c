"""Asks ahead what a program will ask next, right behind what it has just got; `half` uses it.

A program that is told of its new window asks about that window, one question after the other. The remote half
says which questions (a wish). When something comes for such a program, it is kept for a moment: the X server
is asked, and the answers go out right behind it. They count only if nothing else has come meanwhile, for
anybody, so that they are newer than all that any program has heard:

1. The questions are put when all that had come was read, and answered later than all of it.
2. A barrier follows when their answers are there. The server writes out everything of one round of
   requests before it reads the next (Xorg's dix/dispatch.c and os/WaitFor.c: FlushAllOutput), so by the
   barrier's reply all events that are older than the answers can be read here.
3. If anything can be read by then, it may be older or newer: it is taken in and all is asked again.

Nothing is kept for longer than `PATIENCE`, as when somebody has grabbed the server, nor at all while a
program of this display has: then it goes on without.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from x11fwd.bridge.shared.control import seen_payload

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from x11fwd.bridge.shared.control import Fact, WishTold

    Ask = Callable[[Sequence[bytes], Callable[[list[Fact]], None]], bool]

PATIENCE = 0.5  # seconds
TIMES = 18  # how often a wish is granted: what a program asks when it starts or opens a window is soon over
MOST_TRIES = 8  # for one answer, while more and more comes
MOST_KEPT = 1 << 16  # bytes


class _Wish:
    def __init__(self, requests: Sequence[bytes]) -> None:
        self.requests = requests
        self.times = TIMES


class Foresight:
    """What programs get passes through `take`.

    Args:
        put: sends bytes to a program.
        tell: sends a CONTROL payload behind all that was put.
        ask: puts questions to the X server, behind them a barrier, and hands over what became of them; False
            when that is not possible yet.
        calm: whether nothing of the X server can be read for any program.
        far: whether the host is so far away that a wait costs more than many looks.
    """

    def __init__(
        self,
        put: Callable[[int, bytes], None],
        tell: Callable[[bytes], None],
        ask: Ask,
        calm: Callable[[], bool],
        far: Callable[[], bool],
    ) -> None:
        self._put, self._tell, self._ask, self._calm, self._far = put, tell, ask, calm, far
        self._wishes: dict[int, _Wish] = {}
        self._grabbing: set[int] = set()  # who wants answers before the X server has one for anybody else
        self._kept: list[tuple[int, bytes]] = []
        self._size = 0
        self._until = 0.0
        self._tries = 0
        self._round = 0  # counts what is asked; answers of an older one come too late
        self._open = 0  # answers that the round waits for
        self._more = False  # something came since it was asked
        self._answers: dict[int, list[Fact]] = {}

    def wish(self, told: WishTold) -> None:
        """What a program wants to know from now on."""
        if told.requests:
            self._wishes[told.connection] = _Wish(told.requests)
        if told.grabs:
            self._grabbing.add(told.connection)
            self.release()
        else:
            self._grabbing.discard(told.connection)

    def drop(self, connection: int) -> None:
        """The program has gone."""
        self._wishes.pop(connection, None)
        self._grabbing.discard(connection)
        self.release()

    def take(self, connection: int, data: bytes, now: float) -> None:
        """Bytes of the X server for a program."""
        if not self._kept and (connection not in self._wishes or self._grabbing or not self._far()):
            self._put(connection, data)
            return
        if not self._kept:
            self._until, self._tries = now + PATIENCE, 0
        self._kept.append((connection, data))
        self._size += len(data)
        self._more = True
        if self._size > MOST_KEPT:
            self.release()

    def turn(self, now: float) -> None:
        """Everything that could be read has been taken."""
        if not self._kept:
            return
        if now >= self._until:
            for connection in {one for one, _ in self._kept}:  # somebody holds the X server
                self._spend(connection, TIMES // 3)
            self.release()
        elif not self._open:
            self._look()

    def left(self, now: float) -> float | None:
        """Seconds until `turn` has to be called; None when there is no hurry."""
        return max(0.0, self._until - now) if self._kept else None

    def release(self) -> None:
        """What is kept goes on, without answers."""
        self._round += 1
        self._open = 0
        kept, self._kept, self._size = self._kept, [], 0
        for connection, data in kept:
            self._put(connection, data)

    def _look(self) -> None:
        wishes = {one: self._wishes[one] for one, _ in self._kept if one in self._wishes}
        self._tries += 1
        if not wishes or self._tries > MOST_TRIES:
            self.release()
            return
        self._round += 1
        self._more, self._answers = False, {}
        for connection, wish in wishes.items():
            if not self._ask(wish.requests, self._heard(connection, self._round)):
                self.release()
                return
            self._open += 1

    def _heard(self, connection: int, asked: int) -> Callable[[list[Fact]], None]:
        def heard(facts: list[Fact]) -> None:
            if asked != self._round:
                return
            self._answers[connection] = facts
            self._open -= 1
            if self._open or self._more or not self._calm():
                return  # `turn` asks again
            self.release()
            for one, answers in self._answers.items():
                payload = seen_payload(one, answers)
                if one in self._wishes and payload:
                    self._tell(payload)
                self._spend(one, 1)

        return heard

    def _spend(self, connection: int, times: int) -> None:
        wish = self._wishes.get(connection)
        if wish is not None:
            wish.times -= times
            if wish.times <= 0:
                del self._wishes[connection]
