"""Opcodes of a display and what they mean."""

from tests.unit.bridge.shared.anywhere import raises
from x11fwd.bridge.shared import majors
from x11fwd.bridge.shared.majors import Majors


def test_an_extension_is_known_once_its_opcode_is() -> None:
    display = Majors()
    assert display.replies(139, 1) == majors.MAYBE_REPLY
    assert display.name(139) is None
    assert display.opcode("RENDER") is None
    display.learn("RENDER", 139, 0, 142)
    assert display.replies(139, 1) == majors.ONE_REPLY
    assert display.replies(139, 8) == majors.NO_REPLY
    assert display.replies(139, 200) == majors.MAYBE_REPLY
    assert (display.name(139), display.opcode("RENDER")) == ("RENDER", 139)
    display.learn("RENDER", 139, 0, 142)


def test_core_requests_do_not_look_at_the_second_byte() -> None:
    display = Majors()
    assert [display.replies(43, byte) for byte in (0, 255)] == [majors.ONE_REPLY] * 2
    assert display.replies(50, 0) == majors.SEVERAL_REPLIES
    assert display.replies(127, 9) == majors.NO_REPLY
    assert display.replies(0, 0) == display.replies(120, 0) == majors.MAYBE_REPLY
    assert not display.name(43)


def test_an_extension_that_no_description_knows_may_reply() -> None:
    display = Majors()
    display.learn("NV-CONTROL", 150, 0, 0)
    assert display.replies(150, 0) == majors.MAYBE_REPLY


def test_an_opcode_of_the_core_protocol_is_refused() -> None:
    for major in (0, 127, 256):
        with raises(ValueError, "opcode"):
            Majors().learn("RENDER", major, 0, 0)


def test_two_extensions_with_one_opcode_are_refused() -> None:
    display = Majors()
    display.learn("RENDER", 139, 0, 0)
    with raises(ValueError, "opcode 139"):
        display.learn("RANDR", 139, 0, 0)


def test_the_last_of_several_replies() -> None:
    assert [majors.last_of_several(50, length) for length in (1, 5, 0)] == [False, False, True]
    assert [majors.last_of_several(146, category) for category in (0, 4, 5)] == [False, False, True]
