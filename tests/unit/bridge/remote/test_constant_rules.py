"""Atoms, extensions, fonts and facts: what is answered, and what travels."""

import struct

from tests.unit.bridge.remote.told import ROOT, Told, error_of, only
from tests.unit.bridge.shared.anywhere import of_the_text
from x11fwd.bridge.remote.rules.atoms import AtomRule
from x11fwd.bridge.remote.rules.extensions import ExtensionRule
from x11fwd.bridge.remote.rules.factkinds import CHANGES, KINDS, VERSIONS
from x11fwd.bridge.remote.rules.facts import FactRule
from x11fwd.bridge.remote.rules.fonts import FontRule
from x11fwd.bridge.remote.rules.table import RULES
from x11fwd.bridge.shared.factkeys import fact_key, font_key, split_replies
from x11fwd.bridge.shared.majors import CORE, NO_REPLY, ONE_REPLY, SEVERAL_REPLIES, replies_of
from x11fwd.bridge.shared.packets import error_packet, reply_packet
from x11fwd.bridge.shared.resources import Font
from x11fwd.bridge.shared.topics import CONSTANT, FONTS, KEYBOARD, SCREENS
from x11fwd.bridge.shared.wire import Packet

ORDERS = "<>"


def test_a_known_atom_is_told_by_name_and_by_number() -> None:
    for order in ORDERS:
        told = Told(order)
        rule = AtomRule(told.around)
        told.knowledge.learn_atom(300, b"UTF8_STRING")
        for only_if_exists in (0, 1):
            packet = only(told.ask(rule, 16, only_if_exists, told.name(b"UTF8_STRING")))
            assert packet == reply_packet(order, 0, 0, told.words(300))
        packet = only(told.ask(rule, 17, 0, told.words(300)))
        assert packet == reply_packet(order, 0, 0, struct.pack(order + "H22x", 11) + b"UTF8_STRING")
        assert 300 in told.around.resources.atoms


def test_an_unknown_atom_travels_once() -> None:
    told = Told()
    rule = AtomRule(told.around)
    for opcode, body, reply in (
        (16, told.name(b"NEW"), told.words(301)),
        (17, told.words(302), struct.pack("<H22x", 5) + b"OTHER"),
    ):
        assert told.ask(rule, opcode, 0, body) is None
        packet = memoryview(reply_packet("<", 1, 0, reply))
        rule.replied(told.request(opcode, 0, body), Packet(1, 1, packet))
        assert told.ask(rule, opcode, 0, body) is not None
    assert told.knowledge.atoms == {b"NEW": 301, b"OTHER": 302}


def test_an_atom_that_does_not_exist_may_do_so_later() -> None:
    told = Told()
    rule = AtomRule(told.around)
    body = told.name(b"NEVER")
    packet = memoryview(reply_packet("<", 1, 0, told.words(0)))
    rule.replied(told.request(16, 1, body), Packet(1, 1, packet))
    assert told.ask(rule, 16, 1, body) is None


def test_a_name_that_does_not_fit_its_request_travels() -> None:
    told = Told()
    told.knowledge.learn_atom(300, b"ABCD")
    body = struct.pack("<Hxx", 4) + b"ABCD"
    for damaged in (body + b"\0\0\0\0", body[:-4], b"", struct.pack("<Hxx", 5) + b"ABCD"):
        assert told.ask(AtomRule(told.around), 16, 0, damaged) is None
        assert told.ask(ExtensionRule(told.around), 98, 0, damaged) is None


def test_extensions_are_as_the_server_says_but_for_those_that_need_its_machine() -> None:
    for order in ORDERS:
        told = Told(order)
        rule = ExtensionRule(told.around)
        told.knowledge.extension(b"RENDER", True, (139, 0, 142))
        told.knowledge.extension(b"MIT-SHM", True, (130, 65, 128))
        told.knowledge.extension(b"NONE", False, (0, 0, 0))
        assert only(told.ask(rule, 98, 0, told.name(b"RENDER")))[8:12] == bytes((1, 139, 0, 142))
        for absent in (b"MIT-SHM", b"DRI3", b"Present", b"NONE"):
            assert only(told.ask(rule, 98, 0, told.name(absent)))[8:] == bytes(24)
        assert told.ask(rule, 98, 0, told.name(b"NV-CONTROL")) is None
        packet = memoryview(reply_packet(order, 1, 0, bytes((1, 150, 0, 0))))
        rule.replied(told.request(98, 0, told.name(b"NV-CONTROL")), Packet(1, 1, packet))
        assert only(told.ask(rule, 98, 0, told.name(b"NV-CONTROL")))[8:10] == bytes((1, 150))
        assert told.knowledge.majors.name(150) == "NV-CONTROL"


def test_the_list_of_extensions_leaves_out_those_that_are_absent() -> None:
    for order in ORDERS:
        told = Told(order)
        names = (b"SHAPE", b"MIT-SHM", b"DRI2", b"RENDER")
        listed = bytes(24) + b"".join(bytes((len(name),)) + name for name in names)
        told.knowledge.learn(CONSTANT, struct.pack("<BxH", 99, 1), reply_packet("<", 0, 4, listed))
        packet = only(told.ask(ExtensionRule(told.around), 99))
        assert packet[1] == 2
        assert packet[32:] == b"\5SHAPE\6RENDER\0\0\0"


def test_a_version_request_is_answered_and_travels_all_the_same() -> None:
    told = Told()
    told.knowledge.extension(b"RENDER", True, (139, 0, 142))
    reply = reply_packet("<", 0, 0, told.words(0, 11))
    told.knowledge.learn(CONSTANT, b"\x8b\0\3\0" + told.words(0, 11), reply)
    rule = FactRule(told.around)
    answer = told.ask(rule, 139, 0, told.words(0, 11))
    assert answer is not None
    assert answer.forward
    assert answer.packets == (reply,)
    assert told.ask(rule, 139, 0, told.words(0, 5)) is None


def test_picture_formats_need_the_version_request_before_them() -> None:
    told = Told()
    told.knowledge.extension(b"RENDER", True, (139, 0, 142))
    told.knowledge.learn(
        CONSTANT, b"\x8b\0\3\0" + told.words(0, 11), reply_packet("<", 0, 0, told.words(0, 11))
    )
    told.knowledge.learn(SCREENS, b"\x8b\1\1\0", reply_packet("<", 0, 0, bytes(24)))
    rule = FactRule(told.around)
    assert told.ask(rule, 139, 1) is None
    told.ask(rule, 139, 0, told.words(0, 11))
    assert told.ask(rule, 139, 1) is not None


def test_facts_serve_no_program_of_the_other_byte_order() -> None:
    told = Told(">", "<")
    told.knowledge.learn(KEYBOARD, b"\x77\0\1\0", reply_packet("<", 0, 1, bytes(32)))
    assert told.ask(FactRule(told.around), 119) is None


def test_bytes_without_a_meaning_do_not_count() -> None:
    told = Told()
    reply = reply_packet("<", 0, 7, bytes(64))
    told.knowledge.learn(KEYBOARD, b"\x65\0\2\0\x08\xf8\0\0", reply)
    assert only(told.ask(FactRule(told.around), 101, 0x99, b"\x08\xf8\x12\x34")) == reply
    asked = b"\x31\0\4\0\1\0\5\0fixed\0\0\0"
    assert fact_key((CORE, 49), asked.replace(b"fixed\0\0\0", b"fixed\1\2\3")) == asked
    assert fact_key((CORE, 49), b"\x31\5\2\0\1\0\xff\xff") == b"\x31\0\2\0\1\0\xff\xff"


def test_nothing_that_can_change_is_answered_under_a_grab_of_the_server() -> None:
    told = Told()
    told.knowledge.learn(KEYBOARD, b"\x77\0\1\0", reply_packet("<", 0, 1, bytes(32)))
    rule = FactRule(told.around)
    assert told.ask(rule, 119) is not None
    told.ask(rule, 36)
    assert told.ask(rule, 119) is None
    told.ask(rule, 37)
    assert told.ask(rule, 119) is not None


def test_a_program_that_changes_the_keyboard_ends_what_is_known_of_it() -> None:
    told = Told()
    told.knowledge.learn(KEYBOARD, b"\x77\0\1\0", reply_packet("<", 0, 1, bytes(32)))
    rule = FactRule(told.around)
    told.ask(rule, 118, 1, bytes(8))
    told.knowledge.learn(KEYBOARD, b"\x77\0\1\0", reply_packet("<", 0, 1, bytes(32)))
    assert told.ask(rule, 119) is None


def test_constant_replies_are_remembered_for_the_programs_to_come() -> None:
    told = Told()
    told.knowledge.extension(b"GLX", True, (150, 0, 0))
    rule = FactRule(told.around)
    body = told.words(0, 3)
    assert told.ask(rule, 150, 19, body) is None
    packet = reply_packet("<", 99, 0, bytes(40))
    rule.replied(told.request(150, 19, body), Packet(1, 99, memoryview(packet)))
    assert only(told.ask(FactRule(told.around), 150, 19, body)) == reply_packet("<", 0, 0, bytes(40))


def test_several_replies_are_kept_together() -> None:
    replies = (reply_packet("<", 0, 5, bytes(60)), reply_packet("<", 0, 0, bytes(28)))
    assert split_replies(b"".join(replies), "<") == replies


def test_every_fact_is_of_a_request_with_a_reply_and_every_change_of_a_known_request() -> None:
    asked = [kind for kinds in KINDS.values() for kind in kinds]
    assert len(set(asked)) == len(asked)
    for name, minor in (*asked, *VERSIONS):
        assert replies_of(name, minor) in {ONE_REPLY, SEVERAL_REPLIES}, (name, minor)
    assert not set(CHANGES) & set(asked)
    assert replies_of("XKEYBOARD", 9) == NO_REPLY


def test_a_font_of_a_known_name_needs_no_question() -> None:
    told = Told()
    reply = reply_packet("<", 0, 0, bytes(100))
    told.knowledge.learn(FONTS, font_key("<", b"fixed"), reply)
    rule = FontRule(told.around)
    number = told.around.setup.id_base + 1
    assert told.ask(rule, 45, 0, told.name(b"fixed", number)) is None
    assert b"fixed" in told.around.resources.fonts
    assert told.ask(rule, 47, 0, told.words(number)) is None
    told.around.resources.add(1, number, Font(b"fixed"), safe=True)
    assert only(told.ask(rule, 47, 0, told.words(number))) == reply


def test_a_font_that_is_not_there_has_the_errors_of_the_server() -> None:
    for order in ORDERS:
        told = Told(order)
        told.knowledge.learn(FONTS, font_key("<", b"nil2"), error_packet("<", 15, 0, 45))
        rule = FontRule(told.around)
        number = told.around.setup.id_base + 1
        assert error_of(told.ask(rule, 45, 0, told.name(b"nil2", number)), order) == (15, number, 45)
        assert error_of(told.ask(rule, 47, 0, told.words(number)), order) == (7, number, 47)
        assert told.ask(rule, 47, 0, told.words(number + 1)) is None
        # an id that is not the program's has another error
        assert told.ask(rule, 45, 0, told.name(b"nil2", ROOT)) is None
        assert told.ask(rule, 45, 0, told.name(b"other", number)) is None


@of_the_text
def test_every_rule_names_its_ground() -> None:
    for rule in RULES:
        assert rule.__doc__, rule
