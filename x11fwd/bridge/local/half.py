"""The local half's loop: the link on one side, the X server on the other; `session` runs it."""

from __future__ import annotations

import os
import select
import sys
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from x11fwd.bridge.local.foresight import Foresight
from x11fwd.bridge.local.keeper import Keeper
from x11fwd.bridge.shared import control
from x11fwd.bridge.shared.faults import WireFault
from x11fwd.bridge.shared.frames import CLOSE, CONTROL, DATA, LINK, OPEN, Frame
from x11fwd.bridge.shared.images import ImageDecoder, ImageShelf
from x11fwd.bridge.shared.link import Link
from x11fwd.bridge.shared.pump import Pump
from x11fwd.bridge.shared.records import IMAGE, RecordReader
from x11fwd.bridge.shared.setup import BIG, LITTLE, Refusal, Setup

if TYPE_CHECKING:
    from collections.abc import Callable

    from x11fwd.bridge.local.server import ServerConnection, XServer

NATIVE = LITTLE if sys.byteorder == "little" else BIG
WINDOW = 1 << 23  # bytes of one connection that may be under way to this half
POOL = 5  # connections that are open ahead; matplotlib's TkAgg takes four at its start
STREAM_CHUNK = 1 << 18
UNSENT = 1 << 20  # bytes of one connection for the link that wait; beyond, the X server waits
FULL_STEP = 1.0  # seconds until an X server that takes no more connections is asked again
PING_STEP = 1.0  # seconds between measurements of the round trip while something happens
FAR = 0.008  # seconds of a round trip; there a look ahead costs what it gains
_LAST_WORDS = 2000  # milliseconds for what a half that has gone may have left on the line
# bytes for one connection that the X server does not take; beyond, its records stay coded
MOST_PENDING = 1 << 22


class Ready(NamedTuple):
    """What the remote half said of its display."""

    display: str
    authority: str
    number: int


class _Connection:
    """One program's connection: the X server's side, and how its records become requests."""

    def __init__(self, server: ServerConnection, shelf: ImageShelf, number: int) -> None:
        self.server = server
        self.records = RecordReader()
        self.decoder = ImageDecoder(shelf, number)

    def unpack(self) -> bool:
        """Make requests of records, as many as may wait for the X server: whether there were any.

        A few bytes of a coded image can become megabytes, so what the X server does not take stays coded.
        """
        pending = self.server.pending
        before = pending.size
        while pending.size < MOST_PENDING:
            record = self.records.next()
            if record is None:
                break
            pending.put(self.decoder.decode(record.payload) if record.kind == IMAGE else record.payload)
        return pending.size > before


class LocalHalf:
    """All real connections of one session of the bridge, in one thread.

    Args:
        server: how to reach the X server.
        session: names the session to the other half.
        on_change: called by the loop's thread when `programs` or `ready` has changed.

    Attributes:
        programs: how many programs are connected.
        ready: what the other half said, once it has.
    """

    def __init__(self, server: XServer, session: str, on_change: Callable[[], None] = lambda: None) -> None:
        self._server = server
        self._link = Link(session, WINDOW, first_packer="zlib")  # the facts go out before its hello
        self._shelf = ImageShelf()
        self._on_change = on_change
        self.programs = 0
        self.ready: Ready | None = None
        self._wake, self._woken = os.pipe()
        os.set_blocking(self._wake, False)
        os.set_blocking(self._woken, False)
        self._stopped = self._over = False
        self._lock = threading.Lock()
        self._poll = select.poll()
        self._wanted: dict[int, int] = {}
        self._keeper: Keeper | None = None
        self._next = 2  # the next number of a connection opened ahead; the other half's own are odd
        self._ahead: dict[int, ServerConnection] = {}  # by number
        self._taken: dict[int, _Connection] = {}
        self._sockets: dict[int, int] = {}  # descriptor to number
        self._foresight = Foresight(
            lambda number, data: self._pump.put(number, data),
            lambda payload: self._pump.put_behind(payload),
            lambda requests, heard: self._keeper is not None and self._keeper.look(requests, heard),
            self._calm,
            lambda: self._link.nearest is None or self._link.nearest > FAR,
        )
        self._setup_told = False
        self._refill_at = 0.0  # when an X server that took no more may be asked again
        self._pinged = 0.0

    @property
    def round_trip(self) -> float | None:
        """Seconds between the halves, the least that was measured: a busy line takes longer."""
        return self._link.nearest

    def stop(self) -> None:
        """Make `run` return; any thread may call it."""
        self._stopped = True
        with self._lock:
            if not self._over:
                os.write(self._woken, b"x")

    def inject(self, data: bytes) -> None:
        """Put bytes between the link's batches; for what `listen` finds to be missing over there."""
        if data:
            self._pump.first(data)

    def run(
        self, read: int, write: int, listen: Callable[[bytes], bool] = lambda _: True, first: bytes = b""
    ) -> str:
        """Be the local half on two descriptors until the link or the X server ends, or `stop` is called.

        Args:
            first: goes out before the link's bytes.
            listen: gets what comes before the other half's hello; False ends the run.

        Returns:
            A sentence that says what broke, empty when nothing did.
        """
        for number in (read, write):
            os.set_blocking(number, False)
        self._pump = Pump(self._link, write)
        self._pump.first(first + self._link.begin())
        try:
            self._start()
            while not self._stopped:
                self._turn()
                self._want_all(read, write)
                left = self._foresight.left(time.monotonic())
                ready = self._poll.poll(1000 if left is None else int(1000 * left) + 1)
                # the keeper first: a change is told before what programs hear after it
                ready.sort(key=lambda one: self._keeper is None or one[0] != self._keeper.fileno())
                for number, events in ready:
                    if number == read:
                        if not self._receive(read, listen):
                            return "" if self._stopped else "the connection to the host has ended"
                    elif number == self._wake:
                        os.read(self._wake, 4096)
                    elif number in self._sockets:
                        self._serve(self._sockets[number], events)
                    elif self._keeper is not None and number == self._keeper.fileno():
                        self._keep(events)
        except WireFault as fault:
            return str(fault)
        except BrokenPipeError:
            self._hear_out(read, listen)
            return "" if self._stopped else "the connection to the host has ended"
        finally:
            self._close_all()
        return ""

    def _hear_out(self, read: int, listen: Callable[[bytes], bool]) -> None:
        """What the other half said before it went: why it went, mostly."""
        poll = select.poll()
        poll.register(read, select.POLLIN)
        with suppress(WireFault, OSError):
            while poll.poll(_LAST_WORDS) and self._receive(read, listen):
                pass

    def _start(self) -> None:
        self._keeper = Keeper(self._server.open(NATIVE))
        self._refill()

    def _refill(self) -> None:
        while len(self._ahead) < POOL and time.monotonic() >= self._refill_at:
            try:
                server = self._server.open(NATIVE)
            except WireFault:
                if not self._setup_told:
                    raise
                # too many descriptors here, or programs there; the keeper hears of the X server's end
                self._refill_at = time.monotonic() + FULL_STEP
                return
            self._ahead[self._next] = server
            self._sockets[server.socket.fileno()] = self._next
            self._next += 2
            self._greet(server)

    @staticmethod
    def _greet(server: ServerConnection) -> None:
        with suppress(OSError):  # reading will show that the X server is gone
            server.write()

    def _turn(self) -> None:
        now = time.monotonic()
        if self._keeper is not None:
            if self.programs:
                self._keeper.refresh()
            self._keeper.tick(now)
            for payload in self._keeper.take():
                self._link.send(CONTROL, LINK, payload)
        self._refill()
        if self._link.peer is not None and now - self._pinged > PING_STEP:
            self._pinged = now
            self._link.ping(now)
        self._foresight.turn(now)
        self._pump.turn(now)

    def _want_all(self, read: int, write: int) -> None:
        self._want(read, select.POLLIN)
        self._want(write, select.POLLOUT if self._pump.blocked else 0)
        self._want(self._wake, select.POLLIN)
        if self._keeper is not None:
            self._want(self._keeper.fileno(), self._keeper.wants())
        for descriptor, number in self._sockets.items():
            taken = self._taken.get(number)
            server = taken.server if taken is not None else self._ahead[number]
            reads = self._pump.waiting(number) < UNSENT
            self._want(
                descriptor, (select.POLLIN if reads else 0) | (select.POLLOUT if server.pending.size else 0)
            )

    def _want(self, descriptor: int, events: int) -> None:
        if self._wanted.get(descriptor) != events:
            self._wanted[descriptor] = events
            self._poll.register(descriptor, events)

    def _forget(self, descriptor: int) -> None:
        if self._wanted.pop(descriptor, None) is not None:
            self._poll.unregister(descriptor)

    # The link's side

    def _receive(self, read: int, listen: Callable[[bytes], bool]) -> bool:
        try:
            data = os.read(read, STREAM_CHUNK)
        except BlockingIOError:
            return True
        except OSError:
            return False
        if not data:
            return False
        if self._link.peer is None and not listen(data):
            self._stopped = True
            return False
        touched: dict[int, _Connection] = {}
        for frame in self._link.receive(data, time.monotonic()):
            self._dispatch(frame, touched)
        if self.ready is None and self._link.peer is not None:
            self._hear_notes(dict(self._link.peer.notes))
        for number, taken in touched.items():
            self._give(number, taken)
        return True

    def _hear_notes(self, notes: dict[str, str]) -> None:
        display = _denoted(notes.get("display", ""))
        try:
            number = int(display.rpartition(":")[2].partition(".")[0])
        except ValueError:
            raise WireFault("the remote half names no display") from None
        self.ready = Ready(display, _denoted(notes.get("authority", "")), number)
        self._on_change()

    def _dispatch(self, frame: Frame, touched: dict[int, _Connection]) -> None:
        number = frame.connection
        if frame.kind == OPEN:
            self._open(number, frame.payload)
            return
        if frame.kind == CONTROL and frame.payload[:1] == bytes((control.WISH_TOLD,)):
            wish = control.read_wish(frame.payload)
            if wish.connection in self._taken:
                self._foresight.wish(wish)
            return
        taken = self._taken.get(number)
        if taken is None:
            return
        if frame.kind == DATA:
            taken.records.put(frame.payload)
            taken.server.unconsumed += len(frame.payload)
            touched[number] = taken
        elif frame.kind == CLOSE:
            taken.server.ending = True
            self._pump.closed(number)
            touched[number] = taken

    def _open(self, number: int, payload: bytes) -> None:
        if number in self._taken:
            raise WireFault(f"the remote half opens connection {number} twice")
        self._pump.open(number)
        if payload:
            order = payload.decode("ascii", "replace")
            if order not in {LITTLE, BIG} or not number & 1:
                raise WireFault("the remote half opens a connection in an unknown byte order")
            try:
                server = self._server.open(order)
            except WireFault:
                self._pump.close(number)
                return
            server.setup = None
            self._sockets[server.socket.fileno()] = number
            self._greet(server)
        else:
            found = self._ahead.pop(number, None)
            if found is None:
                self._pump.close(number)
                return
            server = found
        self._taken[number] = _Connection(server, self._shelf, number)
        self.programs += 1
        self._refill()
        self._on_change()

    # The X server's side

    def _serve(self, number: int, events: int) -> None:
        taken = self._taken.get(number)
        if events & select.POLLOUT:
            self._give(number, taken)
        if not events & ~select.POLLOUT:
            return
        server = taken.server if taken is not None else self._ahead.get(number)
        if server is None:
            return
        try:
            data = server.read()
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if taken is not None:
            if data:
                self._foresight.take(number, data, time.monotonic())
            else:
                self._end(number)
        elif not data:
            self._give_up(number, "the X server has closed a connection that nobody used")
        else:
            self._prepare(number, server, data)

    def _prepare(self, number: int, server: ServerConnection, data: bytes) -> None:
        """A connection opened ahead gets its setup reply."""
        if server.greeted_already or server.greeted(data) is None:
            return  # events like MappingNotify, which nobody is there to hear
        setup = server.setup
        if not isinstance(setup, Setup):
            reason = setup.reason.decode("latin-1", "replace") if isinstance(setup, Refusal) else ""
            self._give_up(number, f"the X server refuses: {reason.strip()}")
            return
        if not self._setup_told:
            self._setup_told = True
            for payload in control.setup_payloads(server.reply):
                self._link.send(CONTROL, LINK, payload)
        self._link.send(CONTROL, LINK, control.ready_payload(number, setup.id_base))

    def _give_up(self, number: int, why: str) -> None:
        """No connection ahead for now: it has as many as it takes, and those that are there go on."""
        if not self._setup_told:
            raise WireFault(why)
        server = self._ahead.pop(number)
        self._forget(server.socket.fileno())
        del self._sockets[server.socket.fileno()]
        server.socket.close()
        self._refill_at = time.monotonic() + FULL_STEP

    def _give(self, number: int, taken: _Connection | None) -> None:
        """Write to the X server what waits for it."""
        server = taken.server if taken is not None else self._ahead.get(number)
        if server is None:
            return
        try:
            server.write()
            while taken is not None and not server.pending.size and taken.unpack():
                server.write()
        except OSError:
            if taken is None:
                raise WireFault("the X server is gone") from None
            self._end(number)
            return
        except WireFault:
            self._end(number)
            raise
        if not server.pending.size and taken is not None:
            self._link.consumed(number, server.unconsumed)
            server.unconsumed = 0
            if server.ending:
                self._end(number)

    def _end(self, number: int) -> None:
        """A program's connection is over, from either side."""
        taken = self._taken.pop(number, None)
        if taken is None:
            return
        self._foresight.drop(number)
        descriptor = taken.server.socket.fileno()
        self._forget(descriptor)
        self._sockets.pop(descriptor, None)
        taken.server.socket.close()
        self._pump.close(number)
        self._shelf.drop(number)
        self.programs -= 1
        self._on_change()

    def _calm(self) -> bool:
        """Whether the X server has nothing to say to any program at this moment."""
        poll = select.poll()
        for taken in self._taken.values():
            poll.register(taken.server.socket, select.POLLIN)
        return not poll.poll(0)

    def _keep(self, events: int) -> None:
        assert self._keeper is not None  # noqa: S101  for the type checker
        if not self._keeper.serve(events):
            raise WireFault("the X server is gone")

    def _close_all(self) -> None:
        for server in [*self._ahead.values(), *(one.server for one in self._taken.values())]:
            server.socket.close()
        if self._keeper is not None:
            self._keeper.close()
        with self._lock:  # whoever stops us late must not write to somebody else's descriptor
            self._over = True
            os.close(self._wake)
            os.close(self._woken)
        self.programs = 0


def _denoted(text: str) -> str:
    """What the remote half's `_noted` wrote."""
    from urllib.parse import unquote

    return "" if text == "%" else unquote(text)
