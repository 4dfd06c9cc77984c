"""What programs get is kept for a moment, and the answers to what they will ask go out right behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from x11fwd.bridge.local.foresight import MOST_KEPT, MOST_TRIES, PATIENCE, TIMES, Foresight
from x11fwd.bridge.shared.control import Fact, SeenTold, WishTold, seen_payload

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

QUESTION = b"\x0f\0\2\0" + bytes(4)
FACT = Fact(b"", QUESTION, bytes(range(32)))
BEHIND = ("behind", seen_payload(2, [FACT]))


class Scene:
    """What went out, in order, and the X server, which answers when the test says so."""

    def __init__(self) -> None:
        self.out: list[tuple[object, bytes]] = []
        self.asked: list[Callable[[list[Fact]], None]] = []
        self.calm = self.far = True
        self.greeted = True
        self.foresight = Foresight(
            lambda number, data: self.out.append((number, data)),
            lambda payload: self.out.append(("behind", payload)),
            self._ask,
            lambda: self.calm,
            lambda: self.far,
        )

    def _ask(self, requests: Sequence[bytes], heard: Callable[[list[Fact]], None]) -> bool:
        assert requests == (QUESTION,)
        self.asked.append(heard)
        return self.greeted

    def wish(self, *requests: bytes, connection: int = 2) -> None:
        self.foresight.wish(WishTold(connection, requests))

    def come(self, data: bytes, connection: int = 2, now: float = 0.0) -> None:
        self.foresight.take(connection, data, now)
        self.foresight.turn(now)

    def answer(self, which: int = -1) -> None:
        self.asked[which]([FACT])


@pytest.fixture
def scene() -> Scene:
    made = Scene()
    made.wish(QUESTION)
    return made


def test_who_wishes_nothing_gets_everything_at_once(scene: Scene) -> None:
    scene.come(b"other", 4)
    assert scene.out == [(4, b"other")]
    assert not scene.asked


def test_for_a_host_that_is_near_nothing_is_kept(scene: Scene) -> None:
    scene.far = False
    scene.come(b"event")
    assert (scene.out, scene.asked) == ([(2, b"event")], [])


def test_the_answers_go_out_right_behind_what_came_before_the_questions(scene: Scene) -> None:
    scene.come(b"event")
    assert (scene.out, len(scene.asked)) == ([], 1)
    scene.answer()
    assert scene.out == [(2, b"event"), BEHIND]
    assert SeenTold(2, (FACT,)).connection == 2


def test_what_comes_meanwhile_for_anybody_makes_the_answers_old_and_keeps_its_place(scene: Scene) -> None:
    scene.come(b"event")
    scene.come(b"other", 4)
    scene.answer()
    assert scene.out == []
    scene.foresight.turn(0.0)
    assert len(scene.asked) == 2
    scene.answer()
    assert scene.out == [(2, b"event"), (4, b"other"), BEHIND]


def test_what_can_be_read_by_then_makes_them_old_too(scene: Scene) -> None:
    scene.come(b"event")
    scene.calm = False
    scene.answer()
    assert scene.out == []
    scene.calm = True
    scene.come(b"late")
    scene.answer()
    assert scene.out == [(2, b"event"), (2, b"late"), BEHIND]


def test_while_more_and_more_comes_it_goes_on_without_answers(scene: Scene) -> None:
    for _ in range(MOST_TRIES):
        scene.come(b"event")
        scene.foresight.take(2, b"more", 0.0)
        scene.answer()
    scene.foresight.turn(0.0)
    assert [number for number, _ in scene.out] == [2] * 2 * MOST_TRIES
    assert scene.foresight.left(0.0) is None


def test_nothing_waits_for_a_server_that_somebody_has_grabbed(scene: Scene) -> None:
    scene.come(b"event")
    assert scene.foresight.left(0.0) == PATIENCE
    scene.foresight.turn(PATIENCE)
    assert scene.out == [(2, b"event")]
    scene.answer()
    assert scene.out == [(2, b"event")]
    for _ in range(2):  # and it is tried three times
        scene.come(b"event")
        scene.foresight.turn(PATIENCE)
    scene.come(b"next")
    assert (scene.out[3:], scene.foresight.left(0.0)) == ([(2, b"next")], None)


def test_nothing_waits_while_a_program_of_this_display_has_grabbed_the_server(scene: Scene) -> None:
    scene.come(b"event")
    scene.foresight.wish(WishTold(4, grabs=True))
    assert scene.out == [(2, b"event")]
    scene.answer()
    scene.come(b"more")
    assert scene.out == [(2, b"event"), (2, b"more")]
    scene.foresight.wish(WishTold(4))
    scene.come(b"again")
    scene.foresight.wish(WishTold(4, grabs=True))
    scene.foresight.drop(4)
    scene.come(b"last")
    scene.answer()
    assert scene.out[2:] == [(2, b"again"), (2, b"last"), BEHIND]


def test_answers_that_come_after_all_are_not_taken_for_those_of_the_next_time(scene: Scene) -> None:
    scene.come(b"event")
    scene.foresight.turn(PATIENCE)
    scene.come(b"next")
    scene.answer(0)
    assert scene.out == [(2, b"event")]
    scene.answer(1)
    assert scene.out == [(2, b"event"), (2, b"next"), BEHIND]


def test_nothing_waits_for_a_server_that_has_not_greeted(scene: Scene) -> None:
    scene.greeted = False
    scene.come(b"event")
    assert scene.out == [(2, b"event")]


def test_much_is_not_kept(scene: Scene) -> None:
    scene.come(bytes(MOST_KEPT + 1))
    assert [number for number, _ in scene.out] == [2]


def test_a_wish_is_granted_for_a_while(scene: Scene) -> None:
    for _ in range(TIMES):
        scene.come(b"event")
        scene.answer()
    assert scene.out.count(BEHIND) == TIMES
    scene.come(b"event")
    assert scene.out[-1] == (2, b"event")


def test_who_has_gone_gets_what_was_kept_and_no_answers(scene: Scene) -> None:
    scene.come(b"event")
    scene.foresight.drop(2)
    scene.answer()
    assert scene.out == [(2, b"event")]
