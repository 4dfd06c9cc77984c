"""GetInputFocus as a barrier."""

from typing import Optional, Tuple

from tests.unit.bridge.remote.desk import FIRST, ROOT, Desk
from x11fwd.bridge.remote.rules.focus import FOCUS_CREDIT, FRESH, InputFocus

TOP, INSIDE, OTHER = FIRST + 1, FIRST + 2, FIRST + 3
FOCUS_IN, NONLINEAR, NORMAL, GRAB = 9, 3, 0, 1


class _Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def _desk(focus: int = 1) -> Tuple[Desk, _Clock]:
    """A desk where the X server has told the focus once, and its clock."""
    desk = Desk()
    clock = _Clock()
    desk.rule(InputFocus).clock = clock  # type: ignore[attr-defined]
    assert _ask(desk) is None
    _tell(desk, focus)
    return desk, clock


def _ask(desk: Desk) -> "Optional[bytes]":
    answer = desk.send(43)
    if answer is None:
        return None
    assert answer.forward
    return answer.packets[0]


def _tell(desk: Desk, focus: int, number: int = 0) -> None:
    desk.told(1, desk.pack("II", 0, focus), number, second=2)


def test_the_last_focus_is_answered_and_the_server_asked_all_the_same() -> None:
    desk, _ = _desk(0x777)
    answer = _ask(desk)
    assert answer is not None
    assert answer[:2] == b"\1\2"
    assert answer[8:12] == desk.pack("I", 0x777)
    _tell(desk, 0x888)
    answer = _ask(desk)
    assert answer is not None
    assert answer[8:12] == desk.pack("I", 0x888)


def test_the_first_answer_may_be_a_fact() -> None:
    desk = Desk()
    desk.knowledge.learn(b"focus", desk.pack("BxH", 43, 1), b"\1\2" + bytes(30))
    assert _ask(desk) is not None


def test_a_window_taken_away_elsewhere_leaves_the_fact_true() -> None:
    for focus, stays in ((1, True), (TOP, False)):
        desk = Desk()
        desk.window(TOP)
        told = b"\1\2" + bytes(6) + desk.pack("I", focus) + bytes(20)
        desk.knowledge.learn(b"focus", desk.pack("BxH", 43, 1), told)
        desk.send(10, desk.pack("I", TOP))
        desk.settle()
        assert (_ask(desk) is not None) == stays


def test_no_more_answers_are_given_than_the_credit_allows() -> None:
    desk, _ = _desk()
    first = desk.sequencer.number
    for _ in range(FOCUS_CREDIT):
        assert _ask(desk) is not None
    assert _ask(desk) is None
    for step in range(FOCUS_CREDIT + 1):
        _tell(desk, 1, first + step + 1)
    assert _ask(desk) is not None


def test_an_old_focus_is_not_told() -> None:
    desk, clock = _desk()
    clock.now += FRESH + 1
    assert _ask(desk) is None
    _tell(desk, 1)
    assert _ask(desk) is not None


def test_the_local_half_knows_of_a_newer_focus() -> None:
    desk, clock = _desk()
    desk.knowledge.learn(
        b"focus", desk.pack("BxH", 43, 1), b"\1\2" + bytes(6) + desk.pack("I", 0x999) + bytes(20)
    )
    answer = _ask(desk)
    assert answer is not None
    assert answer[8:12] == desk.pack("I", 1)
    clock.now += FRESH + 1
    answer = _ask(desk)
    assert answer is not None
    assert answer[8:12] == desk.pack("I", 0x999)
    desk.window(TOP)
    desk.send(42, desk.pack("II", TOP, 0))  # what the local half knows may be older than that
    desk.settle()
    assert _ask(desk) is None


def test_a_program_that_hears_of_a_new_focus_asks_the_server() -> None:
    desk, _ = _desk()
    desk.told(FOCUS_IN, desk.pack("IB", TOP, GRAB), second=NONLINEAR)
    assert _ask(desk) is not None
    desk.told(FOCUS_IN, desk.pack("IB", TOP, NORMAL), second=NONLINEAR)
    assert _ask(desk) is None


def test_a_program_that_moves_the_focus_asks_the_server() -> None:
    desk, _ = _desk()
    assert _ask(desk) is not None
    asked = desk.sequencer.number
    desk.window(TOP)
    desk.send(42, desk.pack("II", TOP, 0))
    _tell(desk, 1, asked)  # from before
    assert _ask(desk) is None
    _tell(desk, TOP)
    assert _ask(desk) is not None


def test_only_a_window_in_which_the_focus_is_can_take_it_away() -> None:
    desk, _ = _desk(INSIDE)
    desk.window(TOP)
    desk.window(INSIDE, TOP)
    desk.window(OTHER, TOP)
    assert _ask(desk) is not None
    desk.send(10, desk.pack("I", OTHER))
    desk.settle()
    assert _ask(desk) is not None
    desk.send(10, desk.pack("I", TOP))
    desk.settle()
    assert _ask(desk) is None


def test_a_barrier_behind_what_may_bring_events_is_a_real_one() -> None:
    desk, _ = _desk()
    desk.window(TOP)
    desk.send(
        8, desk.pack("I", TOP)
    )  # MapWindow: MapNotify, VisibilityNotify and Expose come before the reply
    assert _ask(desk) is None
    _tell(desk, 1)
    desk.send(61, desk.pack("IHHHH", TOP, 0, 0, 0, 0))  # ClearArea without exposures
    assert _ask(desk) is not None
    desk.send(61, desk.pack("IHHHH", TOP, 0, 0, 0, 0), second=1)
    assert _ask(desk) is None


def test_an_event_sent_to_others_is_not_waited_for() -> None:
    for window, real in ((TOP, True), (0, True), (1, True), (ROOT, False)):
        desk, _ = _desk()
        desk.window(TOP)
        desk.settle()
        desk.around.at_risk = lambda: False
        desk.send(25, desk.pack("II32x", window, 0))
        assert (_ask(desk) is None) == real


def test_a_copy_is_waited_for_unless_its_context_is_quiet() -> None:
    desk, _ = _desk()
    desk.window(TOP)
    context, other = FIRST + 8, FIRST + 9
    exposures, foreground = 1 << 16, 1 << 2
    desk.send(55, desk.pack("IIIII", context, TOP, foreground | exposures, 7, 0))
    desk.send(55, desk.pack("III", other, TOP, 0))
    for one, quiet in ((context, True), (other, False)):
        desk.settle()
        desk.send(62, desk.pack("III4H4x", TOP, TOP, one, 0, 0, 0, 0))
        desk.around.at_risk = lambda: False
        assert (_ask(desk) is not None) == quiet
    desk.send(57, desk.pack("III", context, other, exposures))  # CopyGC
    desk.send(56, desk.pack("III", context, exposures, 1))  # ChangeGC
    for one, quiet in ((context, False), (other, True)):
        desk.settle()
        desk.send(62, desk.pack("III4H4x", TOP, TOP, one, 0, 0, 0, 0))
        desk.around.at_risk = lambda: False
        assert (_ask(desk) is not None) == quiet


def test_under_a_grab_of_the_server_the_focus_is_that_of_the_moment() -> None:
    desk, _ = _desk()
    desk.send(36)
    assert _ask(desk) is None
    _tell(desk, 1)
    desk.send(37)
    assert _ask(desk) is not None
