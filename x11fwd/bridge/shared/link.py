"""The link between the halves: numbers, acknowledges and meters what goes over a stream of bytes.

Both halves use it; it does no input or output and knows nothing of X. Three lifetimes are kept apart: the
stream (hello, packing, cutting into frames) ends with the ssh process, the session (numbers, frames not yet
acknowledged, credit) can go on over a new stream, and what the frames mean is the dispatcher's.
"""

from collections import deque
from typing import Deque, Dict, Iterator, List, Optional, Tuple, Union

from x11fwd.bridge.shared.credit import Flow
from x11fwd.bridge.shared.faults import WireFault
from x11fwd.bridge.shared.frames import (
    ACK,
    CLOSE,
    CREDIT,
    DATA,
    ECHO,
    FIRST_NUMBERED,
    HEAD_SIZE,
    LINK,
    OPEN,
    PACKED,
    PING,
    Frame,
    FrameReader,
    count_payload,
    frame_bytes,
    read_count,
)
from x11fwd.bridge.shared.hello import Hello, HelloReader, hello_bytes
from x11fwd.bridge.shared.pace import PING_SECONDS, Pace
from x11fwd.bridge.shared.packing import AnyPacker, AnyUnpacker, chosen, new_packer, new_unpacker, packers

FIRST_WINDOW = 1 << 16  # what may be sent of a connection before the other half has said what it takes
DATA_SIZE = 1 << 14  # bytes of DATA in one frame, so that connections take turns
MOST_CONNECTIONS = 4096  # at once; an X server takes 256 to 2048 (Xserver(1), -maxclients)
FAST_LINK = 2e7  # bytes in a second; zlib's level 6 makes fewer of noisy images
NEAR = 0.003  # seconds of a round trip; with FAST_LINK this machine or its network, faster than any zlib
ACK_STEP = (
    1 << 9
)  # bytes that come before an acknowledgement is worth a batch of its own; it paces the sender


class _Stream:
    """One stream of bytes in both directions."""

    def __init__(self) -> None:
        self.peer: Optional[Hello] = None
        self._hello = HelloReader()
        self._reader = FrameReader()
        self._unpacker: Optional[AnyUnpacker] = None
        self.packer: Optional[AnyPacker] = None

    def greet(self, data: bytes) -> "Optional[Tuple[Hello, bytes]]":
        """The hello once it is complete, and what came behind it."""
        read = self._hello.feed(data)
        if read is not None:
            self.peer = read[0]
        return read

    def feed(self, data: bytes) -> "Iterator[Frame]":
        """The frames that are complete with `data`, one by one, so that a fault is seen early."""
        if self._unpacker is None:
            for frame in self._reader.feed(data):
                if frame.kind != PACKED:
                    yield frame
                    continue
                self._unpacker = new_unpacker(frame.payload.decode("ascii", "replace"))
                data = self._reader.rest()
        if self._unpacker is not None:
            for piece in self._unpacker.unpack(data):
                for frame in self._reader.feed(piece):
                    if frame.kind == PACKED:
                        raise WireFault("the other half packs twice")
                    yield frame


class Link:
    """One session with the other half.

        link = Link(session, window)
        stream.write(link.begin())
        for frame in link.receive(stream.read(), now): dispatch(frame); link.consumed(...)
        link.send(...); accepted = link.send_data(connection, data)
        if link.due(): stream.write(link.flush())

    `keep` bounds the bytes that are kept until they are acknowledged. `first_packer` packs what goes out
    before the other half has said what it can unpack; for who knows, as who sends the other its program.
    """

    def __init__(
        self, session: str, window: int, *, keep: int = 1 << 25, level: int = 6, first_packer: str = ""
    ) -> None:
        self._session = session
        self._window = window
        self._keep = keep
        self._level = level
        self._first_packer = first_packer
        self._notes: Tuple[Tuple[str, str], ...] = ()
        self._stream = _Stream()
        self._out: List[bytes] = []
        self._flows: Dict[int, Flow] = {}
        self._sent = 0  # numbered frames, ever
        self._flushed = 0  # of _sent, on this stream
        self._kept: Deque[bytes] = deque()  # those not acknowledged
        self.kept_bytes = 0
        self._batches: Deque[Tuple[int, int]] = deque()  # last number and size of what went out
        self._pace = Pace()
        self._pinged = 0.0
        self._received = 0
        self._unacknowledged = 0  # bytes of numbered frames
        self._told = 0  # of _received, by ACK
        self._pings: Dict[bytes, float] = {}
        self._turn = 0
        self.round_trip: Optional[float] = None  # seconds, the last one measured
        self.nearest: Optional[float] = None  # the least
        self._waits = False  # a new stream of an old session: nothing goes out before the other half's hello

    @property
    def peer(self) -> "Optional[Hello]":
        """What the other half said of itself, once it has."""
        return self._stream.peer

    @property
    def under_way(self) -> int:
        """Bytes on the stream, packed, whose frames are not acknowledged."""
        return self._pace.under_way

    def begin(self, notes: "Tuple[Tuple[str, str], ...]" = ()) -> bytes:
        """Start on a new stream, before anything is received from it: its first bytes.

        What the old stream did not get across will be sent again.
        """
        self._stream = _Stream()
        self._out = []
        self._batches.clear()
        self._pace = Pace()
        self._pings.clear()
        self._unacknowledged = 0
        self._told = self._received
        self._waits = bool(self._sent or self._received)
        return hello_bytes(Hello(self._session, self._received, self._window, packers(), notes=notes))

    def send(self, kind: int, connection: int, payload: "Union[bytes, memoryview]" = b"") -> None:
        """Queue a numbered frame that needs no credit. OPEN and CLOSE begin and end a connection's credit."""
        if kind == OPEN:
            self._opened(connection)
        elif kind == CLOSE:
            self._flows.pop(connection, None)
        self._number(frame_bytes(kind, connection, payload))

    def send_data(self, connection: int, data: "Union[bytes, bytearray, memoryview]") -> int:
        """Queue what credit allows of `data`; how much that was. A closed connection drops all of it."""
        flow = self._flows.get(connection)
        if flow is None:
            return len(data)
        view = memoryview(data)[: self.room(connection)]
        for at in range(0, len(view), DATA_SIZE):
            self._number(frame_bytes(DATA, connection, view[at : at + DATA_SIZE]))
        flow.sent(len(view))
        return len(view)

    def room(self, connection: int) -> int:
        """How many bytes `send_data` would take now."""
        flow = self._flows.get(connection)
        return 0 if flow is None else max(0, min(flow.room(), self._keep - self.kept_bytes))

    def consumed(self, connection: int, size: int) -> None:
        """Bytes of DATA frames have left this half, so that as many may come."""
        flow = self._flows.get(connection)
        told = flow.consumed(size) if flow is not None else 0
        if told:
            self.send(CREDIT, connection, count_payload(told))

    def ping(self, now: float) -> None:
        """Measure the round trip: `round_trip` is new once the echo has come."""
        self._out += self._ping(now)

    def due(self) -> bool:
        """Whether `flush` has something that should go now."""
        return not self._waits and (bool(self._out) or self._unacknowledged >= ACK_STEP)

    def pace_room(self) -> int:
        """Bytes, packed, that should go out now at most, so that no queue stands in the link."""
        return self._pace.room()

    def flush(self, now: float = 0.0) -> bytes:
        """One batch: everything queued, packed once the other half has said that it can unpack."""
        if self._waits:
            return b""
        if self._told < self._received:
            payload = count_payload(self._received)
            self._out.append(frame_bytes(ACK, LINK, payload))
            self._told, self._unacknowledged = self._received, 0
        if not self._out:
            return b""
        if self._flushed < self._sent and now - self._pinged >= PING_SECONDS:
            self._pinged = now
            self._out[:0] = self._ping(now)  # first, so that what is sent with it does not count
        batch, self._out = b"".join(self._out), []
        stream = self._stream
        plain = b""
        name = self._first_packer if stream.peer is None else chosen(stream.peer.packers)
        if stream.packer is None and name:
            plain = frame_bytes(PACKED, LINK, name.encode("ascii"))
            stream.packer = new_packer(name, self._level)
        most = 9 if self._pace.rate < FAST_LINK else 1 if self._pace.trip > NEAR else 0
        data = plain + (batch if stream.packer is None else stream.packer.pack(batch, most=most))
        if self._flushed < self._sent:
            self._flushed = self._sent
            self._batches.append((self._sent, len(data)))
            self._pace.sent(now, len(data))
        return data

    def receive(self, data: bytes, now: float) -> "List[Frame]":
        """The frames for the dispatcher that are complete with `data`; credit and the like are done here.

        Raises:
            WireFault: the other half breaks the rules; the session is over.
        """
        found: List[Frame] = []
        if self._stream.peer is None:
            read = self._stream.greet(data)
            if read is None:
                return found
            peer, data = read
            self._greeted(peer)
        for frame in self._stream.feed(data):
            if frame.kind >= FIRST_NUMBERED:
                self._received += 1
                self._unacknowledged += HEAD_SIZE + len(frame.payload)
                if self._unacknowledged > 2 * self._keep:
                    raise WireFault("the other half sends more than it can keep")
                if self._wanted(frame):
                    found.append(frame)
            elif frame.kind == ACK:
                self._acknowledged(read_count(frame), now)
            elif frame.kind == PING:
                self._out.append(frame_bytes(ECHO, LINK, frame.payload[:16]))
            elif frame.kind == ECHO and frame.payload in self._pings:
                self.round_trip = now - self._pings.pop(frame.payload)
                self.nearest = min(self.nearest or self.round_trip, self.round_trip)
                self._pace.measured(now, self.round_trip)
        return found

    def _ping(self, now: float) -> "List[bytes]":
        if len(self._pings) >= 16:
            return []
        self._turn += 1
        token = count_payload(self._turn)
        self._pings[token] = now
        return [frame_bytes(PING, LINK, token)]

    def _opened(self, connection: int) -> None:
        if len(self._flows) >= MOST_CONNECTIONS:
            raise WireFault("more than %d connections at once" % MOST_CONNECTIONS)
        if connection in self._flows:
            raise WireFault("connection %d is opened twice" % connection)
        peer = self._stream.peer
        self._flows[connection] = Flow(self._window, FIRST_WINDOW if peer is None else peer.window)

    def _number(self, frame: bytes) -> None:
        self._sent += 1
        self._kept.append(frame)
        self.kept_bytes += len(frame)
        if not self._waits:
            self._out.append(frame)

    def _greeted(self, peer: Hello) -> None:
        """The other half's hello: its window counts from now on, and what it did not get is sent again."""
        if peer.session != self._session:
            raise WireFault("the other half belongs to another session")
        for flow in self._flows.values():
            flow.their_window(peer.window)
        if self._waits or peer.received:
            self._waits = False
            self._acknowledged(peer.received, 0.0)
            self._out = list(self._kept)
            self._flushed = self._sent - len(self._kept)

    def _acknowledged(self, count: int, now: float) -> None:
        first = self._sent - len(self._kept)
        if not first <= count <= self._sent:
            raise WireFault("the other half acknowledges %d frames of %d to %d" % (count, first, self._sent))
        for _ in range(count - first):
            self.kept_bytes -= len(self._kept.popleft())
        while self._batches and self._batches[0][0] <= count:
            self._pace.acknowledged(now, self._batches.popleft()[1])

    def _wanted(self, frame: Frame) -> bool:
        """Keep credit; whether the dispatcher is to see the frame."""
        if frame.kind == OPEN:
            self._opened(frame.connection)
            return True
        flow = self._flows.get(frame.connection)
        if frame.kind == CLOSE:
            return self._flows.pop(frame.connection, None) is not None
        if frame.kind == DATA:
            if flow is not None:
                flow.came(len(frame.payload))
            return flow is not None
        if frame.kind == CREDIT:
            if flow is not None:
                flow.credited(read_count(frame))
            return False
        return True
