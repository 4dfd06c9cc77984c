"""What the remote half knows, and when it stops knowing it."""

import struct

from tests.unit.bridge.shared.anywhere import raises
from x11fwd.bridge.remote.knowledge import Knowledge
from x11fwd.bridge.shared import control
from x11fwd.bridge.shared.control import Fact
from x11fwd.bridge.shared.faults import WireFault
from x11fwd.bridge.shared.topics import CONSTANT, KEYBOARD

ASKED = b"\x65\0\2\0\x08\xf8\0\0"
SAID = b"\1" + bytes(31)


def _tell(knowledge: Knowledge, topic: bytes = KEYBOARD, reply: bytes = SAID) -> None:
    for payload in control.facts_payloads([Fact(topic, ASKED, reply)]):
        knowledge.told(payload)


def test_a_fact_is_known_until_it_is_forgotten() -> None:
    knowledge = Knowledge("<")
    assert knowledge.fact(ASKED) is None
    _tell(knowledge)
    assert knowledge.fact(ASKED) == SAID
    knowledge.told(control.forget_payload(KEYBOARD))
    assert knowledge.fact(ASKED) is None
    _tell(knowledge)
    assert knowledge.fact(ASKED) == SAID


def test_facts_under_way_when_a_program_hears_of_a_change_do_not_count() -> None:
    knowledge = Knowledge("<")
    _tell(knowledge)
    knowledge.changed(KEYBOARD)
    _tell(knowledge)
    assert knowledge.fact(ASKED) is None
    assert not knowledge.trusts(KEYBOARD)
    knowledge.told(control.forget_payload(KEYBOARD))
    _tell(knowledge)
    assert knowledge.fact(ASKED) == SAID


def test_what_a_program_of_the_link_changes_is_never_known_again() -> None:
    knowledge = Knowledge("<")
    _tell(knowledge)
    knowledge.distrust(KEYBOARD)
    assert knowledge.fact(ASKED) is None
    knowledge.told(control.forget_payload(KEYBOARD))
    _tell(knowledge)
    assert knowledge.fact(ASKED) is None


def test_extensions_and_atoms_are_learnt_in_either_byte_order() -> None:
    for order in "<>":
        knowledge = Knowledge(order)
        asked = struct.pack(order + "BxHHxx", 98, 4, 6) + b"RENDER\0\0"
        reply = struct.pack(order + "BxHI4B20x", 1, 0, 0, 1, 139, 0, 142)
        for payload in control.facts_payloads([Fact(CONSTANT, asked, reply)]):
            knowledge.told(payload)
        assert knowledge.majors.opcode("RENDER") == 139
        for payload in control.atoms_payloads([(300, b"UTF8_STRING")]):
            knowledge.told(payload)
        assert knowledge.atoms[b"UTF8_STRING"] == 300
        assert knowledge.atom_names[300] == b"UTF8_STRING"


def test_setup_and_connections_are_kept_for_programs_to_come() -> None:
    knowledge = Knowledge("<")
    for payload in (*control.setup_payloads(b"setup"), control.ready_payload(2, 0x600000)):
        knowledge.told(payload)
    assert knowledge.setup == b"setup"
    assert list(knowledge.ready) == [(2, 0x600000)]


def test_two_extensions_with_one_opcode_end_the_link() -> None:
    knowledge = Knowledge("<")
    reply = struct.pack("<BxHI4B20x", 1, 0, 0, 1, 139, 0, 142)
    for name in (b"RENDER\0\0", b"RANDR\0\0\0"):
        asked = struct.pack("<BxHHxx", 98, 4, len(name.rstrip(b"\0"))) + name
        payloads = control.facts_payloads([Fact(CONSTANT, asked, reply)])
        if name.startswith(b"RANDR"):
            with raises(WireFault, "opcode 139"):
                knowledge.told(payloads[0])
        else:
            knowledge.told(payloads[0])
