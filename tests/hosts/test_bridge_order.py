"""Programs that tell each other what they have done: what one was promised holds for the others."""

from __future__ import annotations

import socket
import struct
import time
from typing import TYPE_CHECKING

import pytest

from tests.lab.bridge_pair import BridgePair
from x11fwd.x11.authority import read_authority

if TYPE_CHECKING:
    from tests.lab.screen import Screen

CREATE_WINDOW, GET_GEOMETRY, GET_INPUT_FOCUS, PUT_NOTHING = 1, 14, 43, 127
ONE_WAY = 0.05  # seconds
FAR = 0.4  # likewise, where a busy machine must not look like a wait


class Program:
    """An X program by hand, little endian."""

    def __init__(self, pair: BridgePair) -> None:
        number = int(pair.display.partition(":")[2].partition(".")[0])
        cookie = read_authority(pair.authority).records[0].data
        self.socket = socket.create_connection(("127.0.0.1", 6000 + number), timeout=10)
        name = b"MIT-MAGIC-COOKIE-1"
        head = struct.pack("<BxHHHHxx", 0x6C, 11, 0, len(name), len(cookie))
        self.socket.sendall(head + name + bytes(-len(name) % 4) + cookie)
        reply = self.take(8)
        reply += self.take(4 * struct.unpack_from("<H", reply, 6)[0])
        assert reply[0] == 1, reply
        self.id_base = struct.unpack_from("<I", reply, 12)[0]
        vendor, formats = struct.unpack_from("<H", reply, 24)[0], reply[29]
        (self.root,) = struct.unpack_from("<I", reply, 40 + (vendor + 3 & ~3) + 8 * formats)

    def take(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            more = self.socket.recv(size - len(data))
            assert more, "the connection was closed"
            data += more
        return data

    def send(self, opcode: int, body: bytes = b"", second: int = 0) -> None:
        self.socket.sendall(struct.pack("<BBH", opcode, second, 1 + len(body) // 4) + body)

    def answer(self) -> int:
        """0 for an error, 1 for a reply; events are passed over."""
        while True:
            data = self.take(32)
            if data[0] in {0, 1}:
                if data[0] == 1:
                    self.take(4 * struct.unpack_from("<I", data, 4)[0])
                return data[0]

    def creates(self, number: int) -> int:
        window = int(self.id_base) + number
        self.send(CREATE_WINDOW, struct.pack("<IIhhHHHHII", window, self.root, 0, 0, 9, 9, 0, 1, 0, 0))
        return window

    def syncs(self) -> float:
        """XSync; how many seconds it took."""
        start = time.monotonic()
        self.send(GET_INPUT_FOCUS)
        assert self.answer() == 1
        return time.monotonic() - start

    def sees(self, window: int) -> bool:
        self.send(GET_GEOMETRY, struct.pack("<I", window))
        return self.answer() == 1


def test_what_a_program_has_synced_is_there_for_all_others(screen: Screen) -> None:
    with BridgePair(screen, delay=ONE_WAY) as pair:
        maker, looker = Program(pair), Program(pair)
        maker.syncs()
        quick = 0
        for number in range(1, 40):
            # much else is under way for the one that makes the window
            for _ in range(200):
                maker.send(PUT_NOTHING, bytes(4000))
            window = maker.creates(number)
            quick += maker.syncs() < ONE_WAY
            assert looker.sees(window), f"window {number} was synced and is not there"
        assert quick > 20  # the barrier was answered on the remote side, else nothing was tried


def test_two_programs_that_only_draw_do_not_wait_for_each_other(screen: Screen) -> None:
    with BridgePair(screen, delay=FAR) as pair:
        programs = [Program(pair), Program(pair)]
        for program in programs:
            program.syncs()
        start = time.monotonic()
        for _ in range(10):
            for program in programs:
                program.send(PUT_NOTHING)
                program.syncs()
        took = time.monotonic() - start
        # twenty frames; with a wait for each other they would take twenty round trips
        assert took < 20 * 2 * FAR / 2, took


@pytest.mark.parametrize("held", [False, True])
def test_a_grab_of_the_server_holds_nobody_up_for_ever(screen: Screen, held: bool) -> None:
    grab, ungrab = 36, 37
    with BridgePair(screen, delay=0.01) as pair:
        one, other = Program(pair), Program(pair)
        one.syncs()
        other.syncs()
        other.send(grab)
        assert other.sees(other.root)
        if held:
            one.creates(1)
            one.send(GET_INPUT_FOCUS)  # promised, and kept only after the grab
        assert other.sees(other.root)
        other.send(ungrab)
        other.syncs()
        if held:
            assert one.answer() == 1
        assert one.sees(one.root)
