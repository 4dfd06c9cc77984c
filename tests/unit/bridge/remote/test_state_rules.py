"""What changes and announces it: root properties, owners of selections, maps, screens, devices."""

import struct

from tests.unit.bridge.remote.told import ROOT, Told, only
from x11fwd.bridge.remote.rules.changes import ChangeRule
from x11fwd.bridge.remote.rules.facts import FactRule
from x11fwd.bridge.remote.rules.rootprops import RootPropertyRule
from x11fwd.bridge.remote.rules.selections import SelectionRule
from x11fwd.bridge.shared import control
from x11fwd.bridge.shared.factkeys import whole_property
from x11fwd.bridge.shared.packets import reply_packet
from x11fwd.bridge.shared.topics import (
    DEVICES,
    KEYBOARD,
    POINTER,
    ROOT_WINDOWS,
    SCREENS,
    root_topic,
    selection_topic,
)
from x11fwd.bridge.shared.wire import Packet

MANAGER, STRING, CARDINAL = 23, 31, 6
VALUE = b"Xft.dpi: 96\n"


def _with_property(order: str = "<", value: bytes = VALUE, kind: int = STRING, bits: int = 8) -> Told:
    told = Told(order)
    items = len(value) * 8 // bits if bits else 0
    reply = reply_packet("<", 0, bits, struct.pack("<III12x", kind, 0, items) + value)
    told.knowledge.learn(root_topic(ROOT, MANAGER), whole_property("<", ROOT, MANAGER), reply)
    return told


def _get(told: Told, kind: int, offset: int, length: int) -> bytes:
    return told.words(ROOT, MANAGER, kind, offset, length)


def test_a_part_of_a_property_is_cut_out_as_the_specification_says() -> None:
    for order in "<>":
        told = _with_property(order)
        rule = RootPropertyRule(told.around)
        for kind, offset, length, wanted in (
            (STRING, 0, 100000000, (8, STRING, 0, 12, VALUE)),
            (0, 0, 2, (8, STRING, 4, 8, VALUE[:8])),
            (0, 2, 9, (8, STRING, 0, 4, VALUE[8:])),
            (0, 3, 9, (8, STRING, 0, 0, b"")),
            (0, 0, 0, (8, STRING, 12, 0, b"")),
            (CARDINAL, 0, 9, (8, STRING, 12, 0, b"")),
        ):
            packet = only(told.ask(rule, 20, 0, _get(told, kind, offset, length)))
            bits, actual, rest, items, value = wanted
            body = struct.pack(order + "III12x", actual, rest, items) + value
            assert packet == reply_packet(order, 0, bits, body)


def test_a_property_that_is_not_there() -> None:
    told = _with_property(value=b"", kind=0, bits=0)
    packet = only(told.ask(RootPropertyRule(told.around), 20, 0, _get(told, STRING, 5, 9)))
    assert packet == reply_packet("<", 0, 0, bytes(24))


def test_what_fails_or_deletes_travels() -> None:
    told = _with_property()
    rule = RootPropertyRule(told.around)
    assert told.ask(rule, 20, 0, _get(told, 0, 4, 9)) is None  # Value
    assert told.ask(rule, 20, 0, _get(told, 777, 0, 9)) is None  # perhaps no atom
    assert told.ask(rule, 20, 0, told.words(ROOT + 1, MANAGER, 0, 0, 9)) is None
    assert told.ask(rule, 20, 0, told.words(ROOT, MANAGER + 1, 0, 0, 9)) is None
    assert told.ask(rule, 20, 0, _get(told, 0, 0, 9)) is not None
    assert told.ask(rule, 20, 1, _get(told, 0, 0, 9)) is None
    assert told.ask(rule, 20, 0, _get(told, 0, 0, 9)) is None  # it has been deleted


def test_values_of_more_than_a_byte_serve_their_own_byte_order_only() -> None:
    value = struct.pack("<II", 1, 2)
    for order, served in (("<", True), (">", False)):
        told = _with_property(order, value, CARDINAL, 32)
        answer = told.ask(RootPropertyRule(told.around), 20, 0, _get(told, 0, 0, 9))
        assert (answer is not None) == served


def test_a_property_that_a_program_of_the_link_changes_is_not_known_any_more() -> None:
    words = Told().words
    for opcode, body in (
        (18, words(ROOT, MANAGER, STRING, 8, 0)),
        (19, words(ROOT, MANAGER)),
        (114, words(ROOT) + struct.pack("<Hh", 2, 1) + words(MANAGER, 99)),
    ):
        told = _with_property()
        rule = RootPropertyRule(told.around)
        told.ask(rule, opcode, 0, body)
        assert told.ask(rule, 20, 0, _get(told, 0, 0, 9)) is None
        assert not told.knowledge.trusts(root_topic(ROOT, MANAGER))


def test_a_program_that_hears_of_a_change_does_not_get_the_old_value() -> None:
    told = _with_property()
    rule = RootPropertyRule(told.around)
    old = told.knowledge.fact(whole_property("<", ROOT, MANAGER))
    assert old is not None
    told.hear(ChangeRule(told.around), 28, b"\x1c\0\0\0" + told.words(ROOT, MANAGER, 5))
    assert told.ask(rule, 20, 0, _get(told, 0, 0, 9)) is None
    topic = root_topic(ROOT, MANAGER)
    facts = control.facts_payloads([control.Fact(topic, whole_property("<", ROOT, MANAGER), old)])
    told.knowledge.told(facts[0])  # was under way
    assert told.ask(rule, 20, 0, _get(told, 0, 0, 9)) is None
    told.knowledge.told(control.forget_payload(topic))
    told.knowledge.told(facts[0])
    assert told.ask(rule, 20, 0, _get(told, 0, 0, 9)) is not None


def test_the_owner_of_a_selection_is_known_until_it_changes() -> None:
    for order in "<>":
        told = Told(order)
        told.knowledge.extension(b"XFIXES", True, (138, 87, 140))
        rule = SelectionRule(told.around)
        asked = struct.pack("<BxHI", 23, 2, 400)
        said = reply_packet("<", 0, 0, struct.pack("<I", 0x600001))
        told.knowledge.learn(selection_topic(400), asked, said)
        packet = only(told.ask(rule, 23, 0, told.words(400)))
        assert struct.unpack_from(order + "I", packet, 8) == (0x600001,)
        assert told.ask(rule, 23, 0, told.words(401)) is None
        told.ask(FactRule(told.around), 36)
        assert told.ask(rule, 23, 0, told.words(400)) is None
        told.ask(FactRule(told.around), 37)
        assert told.ask(rule, 23, 0, told.words(400)) is not None
        told.hear(ChangeRule(told.around), 87, b"\x57\0\0\0" + told.words(ROOT, 0, 400))
        assert told.ask(rule, 23, 0, told.words(400)) is None
        told.ask(rule, 22, 0, told.words(0x400001, 402, 0))
        told.knowledge.learn(selection_topic(402), struct.pack("<BxHI", 23, 2, 402), said)
        assert told.ask(rule, 23, 0, told.words(402)) is None


def test_events_of_changes_and_those_of_none() -> None:
    told = Told()
    told.knowledge.extension(b"XKEYBOARD", True, (135, 85, 137))
    told.knowledge.extension(b"RANDR", True, (140, 89, 147))
    told.knowledge.extension(b"XInputExtension", True, (131, 66, 129))
    rule = ChangeRule(told.around)
    generic = struct.pack("<BBHIHH", 35, 131, 0, 0, 11, 0)
    for code, data, topic in (
        (34, b"\x22\0\0\0\1\0", KEYBOARD),
        (34, b"\x22\0\0\0\2\0", POINTER),
        (85, b"\x55\1", KEYBOARD),
        (89, b"\x59\0", SCREENS),
        (90, b"\x5a\2", SCREENS),
        (22, b"\x16\0\0\0" + told.words(ROOT, ROOT), SCREENS),
        (35, generic, DEVICES),
    ):
        assert told.knowledge.trusts(topic)
        told.hear(rule, code, data)
        assert not told.knowledge.trusts(topic)
        told.knowledge.told(control.forget_payload(topic))
    for code, data in (
        (85, b"\x55\2"),  # the state, with each key
        (22, b"\x16\0\0\0" + told.words(0x400001, 0x400001)),
        (35, generic.replace(b"\x0b\0", b"\x06\0")),  # XI_Motion
        (2, b"\2\x18"),
    ):
        told.hear(rule, code, data)
        for topic in (KEYBOARD, POINTER, SCREENS, DEVICES):
            assert told.knowledge.trusts(topic)


def test_a_root_that_a_program_has_changed_is_as_the_server_said_a_moment_ago() -> None:
    told = Told()
    rule = FactRule(told.around)
    now = [100.0]
    rule.clock = lambda: now[0]
    root = told.words(ROOT)
    fact = reply_packet("<", 0, 0, bytes(24) + told.words(1 << 19, 0, 0))
    told.knowledge.learn(ROOT_WINDOWS, b"\3\0\2\0" + root, fact)
    assert only(told.ask(rule, 3, 0, root)) == fact
    told.ask(rule, 2, 0, root + told.words(1 << 11, 1 << 22))
    assert struct.unpack_from("<II", only(told.ask(rule, 3, 0, root)), 32) == (1 << 22 | 1 << 19, 1 << 22)
    told.ask(rule, 2, 0, root + told.words(1 << 11, 1 << 20))  # one client alone may have that
    assert told.ask(rule, 3, 0, root) is None
    said = reply_packet("<", 9, 0, bytes(24) + told.words(7, 7, 0))
    rule.replied(told.request(3, 0, root), Packet(1, 9, memoryview(said)))
    now[0] += 0.5
    answer = told.ask(rule, 3, 0, root)
    assert only(answer) == said
    assert answer is not None
    assert answer.forward
    now[0] += 1
    assert told.ask(rule, 3, 0, root) is None
    rule.replied(told.request(3, 0, root), Packet(1, 9, memoryview(said)))
    told.ask(rule, 2, 0, root + told.words(1 << 11, 0))
    assert told.ask(rule, 3, 0, root) is None
