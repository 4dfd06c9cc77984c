"""A question asked again at once."""

from typing import Optional

from tests.unit.bridge.remote.desk import FIRST, ROOT, Desk
from x11fwd.bridge.remote.rules.again import SAME_FOR, SameAgain


class _Clock:
    now = 5.0

    def __call__(self) -> float:
        return self.now


def _desk() -> Desk:
    desk = Desk()
    desk.rule(SameAgain).clock = _Clock()  # type: ignore[attr-defined]
    assert _tree(desk) is None
    desk.told(1, desk.pack("III", 0, ROOT, 0))
    return desk


def _tree(desk: Desk, window: int = ROOT) -> "Optional[bytes]":
    answer = desk.send(15, desk.pack("I", window))
    return None if answer is None else answer.packets[0]


def test_the_same_question_gets_the_same_answer_in_the_same_moment() -> None:
    desk = _desk()
    answer = _tree(desk)
    assert answer is not None
    assert answer[8:12] == desk.pack("I", ROOT)
    assert _tree(desk) == answer
    assert _tree(desk, 0x777) is None


def test_a_change_an_event_another_answer_or_time_end_it() -> None:
    desk = _desk()
    desk.window(FIRST + 1)
    assert _tree(desk) is None
    desk = _desk()
    desk.told(12)
    assert _tree(desk) is None
    desk = _desk()
    desk.settle()
    assert _tree(desk) is None
    desk = _desk()
    desk.rule(SameAgain).clock.now += 2 * SAME_FOR  # type: ignore[attr-defined]
    assert _tree(desk) is None


def test_an_answer_from_before_a_change_does_not_count() -> None:
    desk = Desk()
    assert _tree(desk) is None
    asked = desk.sequencer.number
    desk.window(FIRST + 1)
    desk.told(1, desk.pack("III", 0, ROOT, 0), asked)
    assert _tree(desk) is None
