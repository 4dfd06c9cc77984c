"""What CONTROL frames say: both halves."""

import struct

from tests.unit.bridge.shared.anywhere import raises
from x11fwd.bridge.shared import control
from x11fwd.bridge.shared.control import ControlReader, Fact
from x11fwd.bridge.shared.faults import WireFault
from x11fwd.bridge.shared.frames import LARGEST_PAYLOAD


def test_each_payload_says_what_was_told() -> None:
    reader = ControlReader()
    facts = (Fact(b"constant", b"abcd", b"r" * 32), Fact(b"", b"defg", b"s" * 36))
    assert [reader.read(one) for one in control.facts_payloads(facts)] == [control.FactsTold(facts)]
    atoms = ((1, b"PRIMARY"), (77, b""))
    assert [reader.read(one) for one in control.atoms_payloads(atoms)] == [control.AtomsTold(atoms)]
    assert reader.read(control.ready_payload(4, 0x600000)) == control.ReadyTold(4, 0x600000)
    assert reader.read(control.forget_payload(b"keyboard")) == control.ForgetTold(b"keyboard")
    assert reader.read(control.colors_payload([33, 34])) == control.ColorsTold((33, 34))
    assert [reader.read(one) for one in control.setup_payloads(b"setup")] == [control.SetupTold(b"setup")]


def test_nothing_to_tell_is_no_payload() -> None:
    assert control.facts_payloads(()) == control.atoms_payloads(()) == []


def test_what_is_longer_than_a_frame_comes_in_pieces() -> None:
    facts = tuple(Fact(b"t", struct.pack(">I", one), b"r" * 5000) for one in range(100))
    payloads = control.facts_payloads(facts)
    assert len(payloads) > 5
    assert all(len(one) <= LARGEST_PAYLOAD for one in payloads)
    reader = ControlReader()
    read = [reader.read(one) for one in payloads]
    assert read[:-1] == [None] * (len(payloads) - 1)
    assert read[-1] == control.FactsTold(facts)


def test_damaged_payloads_are_refused() -> None:
    (facts,) = control.facts_payloads([Fact(b"t", b"abcd", b"r" * 32)])
    (atoms,) = control.atoms_payloads([(5, b"NAME")])
    damaged = [b"", b"\0", b"\x7f", facts[:-1], facts[:5], atoms[:-1], atoms[:4], b"\x03\x02", b"\x03"]
    damaged += [control.ready_payload(1, 2)[:-1], control.colors_payload([1]) + b"x"]
    damaged += control.facts_payloads([Fact(b"t", b"abcd", b"r" * 31)])
    damaged += control.facts_payloads([Fact(b"t", b"abc", b"r" * 32)])
    damaged += control.atoms_payloads([(0, b"NONE")])
    for payload in damaged:
        with raises(WireFault, "the other half"):
            ControlReader().read(payload)


def test_a_message_that_does_not_end_is_refused() -> None:
    reader = ControlReader()
    piece = bytes((control.FACTS_TOLD, 1)) + bytes(60000)
    with raises(WireFault, "does not end"):
        for _ in range(control.MOST_TOLD // 60000 + 2):
            assert reader.read(piece) is None


_TREE, _STATE = struct.pack("=BxHI", 15, 2, 7), struct.pack("=BxHIIIII", 20, 6, 7, 300, 4, 0, 1024)


def test_wishes_and_what_became_of_them_are_told() -> None:
    for wish in (control.WishTold(4, (), True), control.WishTold(4), control.WishTold(7, (_TREE, _STATE))):
        assert control.read_wish(control.wish_payload(wish)) == wish
    facts = (Fact(b"", _TREE, b"r" * 32), Fact(b"", _STATE, b"s" * 36))
    assert ControlReader().read(control.seen_payload(4, facts)) == control.SeenTold(4, facts)
    assert control.seen_payload(4, [Fact(b"", _TREE, bytes(LARGEST_PAYLOAD))]) == b""


def test_only_questions_may_be_wished_and_not_many() -> None:
    deletes = b"\x14\1" + _STATE[2:]
    longer = b"\x0f\0" + struct.pack("=H", 3) + _TREE[4:]  # the X server would wait for more
    maps, extension = struct.pack("=BxHI", 8, 2, 7), struct.pack("=BxHI", 200, 2, 7)
    for one in (deletes, longer, maps, extension, _TREE[:4], _TREE + bytes(4), b""):
        with raises(WireFault, "the other half wishes"):
            control.read_wish(control.wish_payload(control.WishTold(4, (one,))))
    with raises(WireFault, "too much"):
        control.read_wish(control.wish_payload(control.WishTold(4, (_TREE,) * (control.MOST_WISHES + 1))))
    whole = control.wish_payload(control.WishTold(4, (_TREE,)))
    for payload in (b"", whole[:5], b"\1" + whole[1:], whole + b"\0", whole[:-1]):
        with raises(WireFault, "the other half"):
            control.read_wish(payload)
