"""The remote half's loop: standard input and output are the link, programs come to the listening sockets.

`main` is where the assembled program begins.
"""

import errno
import os
import select
import signal
import socket
import struct
import sys
import time
from typing import Dict, List, Optional, Set, Tuple

from x11fwd.bridge.remote.door import Door
from x11fwd.bridge.remote.knowledge import Knowledge
from x11fwd.bridge.remote.program import Program
from x11fwd.bridge.remote.visitor import Visitor
from x11fwd.bridge.shared.control import SeenTold, WishTold, wish_payload
from x11fwd.bridge.shared.faults import WireFault
from x11fwd.bridge.shared.frames import CLOSE, CONTROL, DATA, LINK, OPEN, Frame
from x11fwd.bridge.shared.images import ImageCoder, ImageShelf
from x11fwd.bridge.shared.link import Link
from x11fwd.bridge.shared.packets import refusal_packet
from x11fwd.bridge.shared.pump import Pump
from x11fwd.bridge.shared.setup import BIG, LITTLE, Refusal, Setup, read_setup
from x11fwd.bridge.shared.wire import ServerReader

WINDOW = 1 << 22  # bytes of one connection that may be under way to this half
STREAM_CHUNK = 1 << 18
BUFFER = 1 << 17  # bytes that the kernel keeps of what a program sends: what they draw is late by as much
# Seconds that requests wait for promises while nothing comes of them: somebody may have grabbed the X server,
# and then who promised waits for who must wait for it.
LONGEST_HOLD = 1.0
HOLD_TRIPS = 4.0  # or so many round trips, where the X server is further away than that
HOLD_LOOK = 250  # milliseconds between two looks at it
MOST_GREETING = 1 << 8  # programs that have connected and not yet shown a cookie
FULL = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)  # accept(2): no room for one more now
FULL_STEP = 0.5  # seconds until it is tried again

ENDING = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)

_IN = select.POLLIN
_OUT = select.POLLOUT


class RemoteHalf:
    """All programs of one display and the link, in one thread."""

    def __init__(self, door: Door, session: str, stdin: int, stdout: int) -> None:
        self._door = door
        self._stdin, self._stdout = stdin, stdout
        self._link = Link(session, WINDOW)
        self._pump = Pump(self._link, stdout)
        self._knowledge = Knowledge(LITTLE if sys.byteorder == "little" else BIG)
        self._shelf = ImageShelf()
        self._visitors: Dict[int, Visitor] = {}  # by descriptor
        self._connected: Dict[int, Visitor] = {}  # by connection
        self._waiting: List[Visitor] = []  # for a connection
        self._starting: Dict[int, ServerReader] = {}  # connections whose setup reply is under way
        self._holding: Set[Visitor] = set()  # whose requests wait for promises made to others
        self._odd = 1  # the next connection number of this half; the other half's are even
        self._poll = select.poll()
        self._wanted: Dict[int, int] = {}
        self._listening = {one.fileno(): one for one in door.sockets}
        self._full_until = 0.0

    def run(self, early: bytes = b"") -> None:
        """Until the link ends; `early` came before the loop.

        Raises:
            WireFault: the other half breaks the rules.
        """
        for number in (self._stdin, self._stdout):
            os.set_blocking(number, False)
        notes = (("display", _noted(self._door.display)), ("authority", _noted(self._door.authority)))
        self._pump.first(self._link.begin(notes))
        if early:
            self._take_in(early)
        while True:
            now = time.monotonic()
            try:
                self._pump.turn(now)
            except OSError:
                return
            self._want_all()
            if self._holding:
                self._release()
            for number, events in self._poll.poll(self._patience()):
                if number == self._stdin:
                    if not self._receive():
                        return
                elif number == self._stdout:
                    if events & ~_OUT:
                        return  # nobody reads it, and none of our answers would arrive
                elif number in self._listening:
                    self._accept(self._listening[number])
                elif number in self._visitors:
                    self._serve(self._visitors[number], events)

    def _patience(self) -> "Optional[int]":
        """Milliseconds after which there is something to do though nothing comes."""
        left = self._full_until - time.monotonic()
        if left > 0 and not self._holding:
            return int(left * 1000) + 1
        return HOLD_LOOK if self._holding else None

    def _want_all(self) -> None:
        self._want(self._stdin, _IN)
        self._want(self._stdout, _OUT if self._pump.blocked else 0)
        greeting = len(self._visitors) - len(self._connected)
        room = greeting < MOST_GREETING and time.monotonic() >= self._full_until
        for number in self._listening:
            self._want(number, _IN if room else 0)
        for number, visitor in self._visitors.items():
            events = _IN if visitor.reads(self._pump.waiting(visitor.connection)) else 0
            self._want(number, events | (_OUT if visitor.answers.size else 0))

    def _want(self, number: int, events: int) -> None:
        if self._wanted.get(number) == events:
            return
        self._wanted[number] = events
        self._poll.register(number, events)

    def _receive(self) -> bool:
        try:
            data = os.read(self._stdin, STREAM_CHUNK)
        except BlockingIOError:
            return True
        except OSError:
            return False
        if not data:
            return False
        self._take_in(data)
        return True

    def _take_in(self, data: bytes) -> None:
        touched: Set[Visitor] = set()
        for frame in self._link.receive(data, time.monotonic()):
            self._dispatch(frame, touched)
        for visitor in touched:
            self._give(visitor)
        if self._holding:
            self._release()

    def _dispatch(self, frame: Frame, touched: "Set[Visitor]") -> None:
        if frame.kind == CONTROL:
            self._knowledge.told(frame.payload, self._seen)
            self._seat()
            return
        self._knowledge.heard += 1
        visitor = self._connected.get(frame.connection)
        if visitor is None:
            return
        if frame.kind == DATA:
            visitor.unconsumed += len(frame.payload)
            self._answer(visitor, frame.payload)
            touched.add(visitor)
        elif frame.kind == CLOSE:
            visitor.ending = True
            self._pump.closed(frame.connection)
            touched.add(visitor)

    def _seen(self, told: SeenTold) -> None:
        visitor = self._connected.get(told.connection)
        if visitor is not None and visitor.program is not None:
            visitor.program.seen(told.facts)

    def _answer(self, visitor: Visitor, data: bytes) -> None:
        """Bytes of the X server for a program."""
        starting = self._starting.get(visitor.connection)
        try:
            if starting is not None:
                self._start_foreign(visitor, starting, data)
            elif visitor.program is not None:
                visitor.program.packets(data)
        except WireFault as fault:
            self._drop(visitor, "the X server's answers are damaged: %s" % fault)
        except Exception as error:  # noqa: BLE001  one program's trouble must not be the others'
            self._drop(visitor, "x11fwd has a fault: %s: %s" % (type(error).__name__, error))

    def _accept(self, listening: socket.socket) -> None:
        try:
            connected, _ = listening.accept()
        except OSError as error:
            if error.errno in FULL:  # it stays readable, and would keep us busy
                self._full_until = time.monotonic() + FULL_STEP
            return
        connected.setblocking(False)
        try:
            if connected.family != socket.AF_UNIX:
                connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        except OSError:  # macOS: who connected has gone already
            connected.close()
            return
        self._visitors[connected.fileno()] = Visitor(connected)

    def _serve(self, visitor: Visitor, events: int) -> None:
        if events & _OUT:
            self._give(visitor)
        if events & ~_OUT and visitor.socket.fileno() >= 0:
            self._hear(visitor)

    def _hear(self, visitor: Visitor) -> None:
        """What a program sends."""
        try:
            data = visitor.read()
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._drop(visitor)
            return
        try:
            visitor.reader.big_requests = self._knowledge.majors.opcode("BIG-REQUESTS")
            requests = visitor.reader.feed(data)
            if visitor.program is None:
                visitor.early += requests
                self._greet(visitor)
                return
            visitor.program.requests(requests)
        except WireFault as fault:
            self._drop(visitor, str(fault))
            return
        except Exception as error:  # noqa: BLE001  one program's trouble must not be the others'
            self._drop(visitor, "x11fwd has a fault: %s: %s" % (type(error).__name__, error))
            return
        self._send(visitor)
        self._give(visitor)

    def _greet(self, visitor: Visitor) -> None:
        greeting = visitor.reader.greeting
        if greeting is None or visitor.greeted:
            return
        refusal = self._door.admits(greeting)
        if refusal is not None:
            visitor.answers.put(refusal_packet(greeting.order, refusal))
            visitor.ending = True
            self._give(visitor)
            return
        visitor.greeted = True
        if greeting.order != self._knowledge.order:
            # a real connection of its own: the setup reply comes in the program's order
            visitor.connection, self._odd = self._odd, self._odd + 2
            self._starting[visitor.connection] = ServerReader(greeting.order)
            self._take(visitor, greeting.order.encode("ascii"))
            return
        self._waiting.append(visitor)
        self._seat()

    def _seat(self) -> None:
        """Give programs that wait the connections that are ready."""
        while self._waiting and self._knowledge.ready:
            visitor = self._waiting.pop(0)
            visitor.connection, id_base = self._knowledge.ready.popleft()
            self._take(visitor, b"")
            reply = bytearray(self._knowledge.setup)
            struct.pack_into(self._knowledge.order + "I", reply, 12, id_base)
            setup = read_setup(reply, self._knowledge.order)
            if isinstance(setup, Refusal):
                raise WireFault("the other half has no X server")
            self._begin(visitor, setup, bytes(reply))

    def _take(self, visitor: Visitor, payload: bytes) -> None:
        self._connected[visitor.connection] = visitor
        self._pump.open(visitor.connection)
        self._link.send(OPEN, visitor.connection, payload)

    def _begin(self, visitor: Visitor, setup: Setup, reply: bytes) -> None:
        """The program gets its setup reply."""
        greeting = visitor.reader.greeting
        if greeting is None:
            return
        visitor.answers.put(reply)
        coder = ImageCoder(self._shelf, visitor.connection, setup, greeting.order)
        visitor.program = Program(
            greeting.order, setup, self._knowledge, coder, lambda: bool(self._debts(visitor))
        )
        early, visitor.early = visitor.early, []
        visitor.program.requests(early)
        self._send(visitor)
        self._give(visitor)

    def _start_foreign(self, visitor: Visitor, reader: ServerReader, data: bytes) -> None:
        """The setup reply to a program of the other byte order."""
        reader.feed(data)
        if reader.setup is None:
            visitor.early_setup += data
            return
        del self._starting[visitor.connection]
        reply = bytes(visitor.early_setup + data)
        if isinstance(reader.setup, Refusal):
            visitor.answers.put(reply)
            visitor.ending = True
        else:
            self._begin(visitor, reader.setup, reply)

    def _send(self, visitor: Visitor) -> None:
        """What the program sent goes to the pump.

        A barrier that was answered here (GetInputFocus) is a promise: the program may tell another one that
        its requests are done. So what that one sends, when it may be about things of others, waits until the
        X server has kept the promises that are open by then.
        """
        program = visitor.program
        if program is None:
            return
        wish = program.take_wish()
        if wish is not None:
            self._link.send(
                CONTROL, LINK, wish_payload(WishTold(visitor.connection, tuple(wish[0]), wish[1]))
            )
        records = [bytes(data) for data in program.take_upstream()]
        if not records:
            return
        debts = self._debts(visitor) if program.outward else []
        program.outward = False
        if not debts and not visitor.held:
            for data in records:
                self._pump.put(visitor.connection, data)
            return
        if not visitor.held:
            visitor.hold(time.monotonic())
        visitor.held.append((debts, records))
        visitor.held_bytes += sum(map(len, records))
        self._holding.add(visitor)

    def _debts(self, visitor: Visitor) -> "List[Tuple[Visitor, int]]":
        found = []
        for other in self._connected.values():
            program = other.program
            if other is not visitor and program is not None and program.promised > program.settled:
                found.append((other, program.promised))
        return found

    def _release(self, *, anyway: bool = False) -> None:
        """What need not wait any more goes to the pump."""
        now = time.monotonic()
        longest = max(LONGEST_HOLD, HOLD_TRIPS * (self._link.round_trip or 0.0))
        for visitor in list(self._holding):
            # on a thin line a promise may be behind a picture that is still on its way out
            left = sum(self._pump.waiting(other.connection) for other, _ in visitor.held[0][0])
            if left < visitor.held_left:
                visitor.held_since, visitor.held_left = now, left
            late = anyway or now - visitor.held_since > longest
            while visitor.held and (late or all(_paid(*debt) for debt in visitor.held[0][0])):
                _, records = visitor.held.popleft()
                for data in records:
                    visitor.held_bytes -= len(data)
                    self._pump.put(visitor.connection, data)
                visitor.hold(now)
            if not visitor.held:
                self._holding.discard(visitor)

    def _give(self, visitor: Visitor) -> None:
        if visitor.socket.fileno() < 0:
            return
        if visitor.program is not None:
            for data in visitor.program.take_answers():
                visitor.answers.put(data)
        try:
            visitor.write()
        except OSError:
            self._drop(visitor)
            return
        if not visitor.answers.size:
            self._link.consumed(visitor.connection, visitor.unconsumed)
            visitor.unconsumed = 0
            if visitor.ending:
                self._drop(visitor)

    def _drop(self, visitor: Visitor, why: str = "") -> None:
        """The program is gone, or has to go."""
        if why:
            sys.stderr.write("x11fwd: a program was disconnected: %s\n" % why)
            sys.stderr.flush()
        number = visitor.socket.fileno()
        if number < 0:
            return
        self._knowledge.heard += 1
        self._poll.unregister(number)
        del self._wanted[number], self._visitors[number]
        visitor.socket.close()
        if visitor in self._waiting:
            self._waiting.remove(visitor)
        if visitor.connection:
            while visitor.held:
                for data in visitor.held.popleft()[1]:
                    self._pump.put(visitor.connection, data)
            self._holding.discard(visitor)
            del self._connected[visitor.connection]
            self._starting.pop(visitor.connection, None)
            self._pump.close(visitor.connection)
            self._shelf.drop(visitor.connection)


def _paid(visitor: Visitor, promised: int) -> bool:
    """Whether the X server has done what the program was told it had."""
    return visitor.socket.fileno() < 0 or visitor.program is None or visitor.program.settled >= promised


def _noted(text: str) -> str:
    """As a note of the hello: without blanks."""
    return "".join(one if "!" <= one <= "~" and one != "%" else "%%%02x" % ord(one) for one in text) or "%"


def _end(number: int, frame: object) -> None:
    del number, frame
    raise SystemExit(0)


def main(argv: "List[str]", early: bytes = b"") -> int:
    """Run the remote half: argv is its folder, the display number wanted (0: any), a token (`-`: none).

    Behind the number `@NAME` may stand: other computers may come, and call this one so (`door`).

    `early` is what of the link was read before this was there.

    Returns 0 at the end of the link, 1 after a fault, with a sentence on standard error.
    """
    folder, preferred, token = argv[:3]
    number, _, nodes = preferred.partition("@")
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    for one in ENDING:
        signal.signal(one, _end)
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)  # or what is half made would stay
    try:
        door = Door(folder, int(number), nodes=nodes)
    except BaseException:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
        raise
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
        if token != "-":  # noqa: S105  no secret, it names a FIFO
            door.announce(token)
        RemoteHalf(door, token, 0, 1).run(early)
    except WireFault as fault:
        sys.stderr.write("x11fwd: %s\n" % fault)
        return 1
    finally:
        signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)  # as sshd and a shutdown may send two
        door.close()
    return 0
