"""An open connection to an X server: questions with deadlines, answers as values; `client` makes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from x11fwd.errors import DisplayError
from x11fwd.x11 import requests as rq
from x11fwd.x11.faults import DisplayLostError, MalformedAnswerError, RequestError
from x11fwd.x11.image import Image
from x11fwd.x11.stream import Deadline, Stream
from x11fwd.x11.wire import (
    ERROR,
    PACKET_SIZE,
    REPLY,
    ByteOrder,
    Screen,
    Setup,
    VisualClass,
    packet_rest,
    parse_error,
    sequence_number,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

_BATCH = 64  # requests sent before their answers are read: small enough that neither side's buffers fill up


class Connection:
    """A connection after its handshake.

    Every method that asks raises DisplayTimeoutError, DisplayLostError and MalformedAnswerError; those about
    a window raise RequestError too, mostly BadWindowError: another program's window may vanish at any time.
    After a time-out the connection is closed: the rest of that answer would be taken for the next one.

    Attributes:
        setup: what the server said of itself.
        screen: the screen that DISPLAY named.
        timeout: seconds for each question.
    """

    def __init__(
        self, stream: Stream, setup: Setup, order: ByteOrder, timeout: float, *, screen: int = 0
    ) -> None:
        self.setup = setup
        self.timeout = timeout
        self._stream = stream
        self._order = order
        self._sequence = 0
        self._closed = False
        if screen >= len(setup.screens):
            stream.close()
            raise DisplayError(f"DISPLAY names screen {screen}, the X server has {len(setup.screens)}")
        self.screen: Screen = setup.screens[screen]

    def __enter__(self) -> Connection:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._closed = True
        self._stream.close()

    # Packets

    def ask_all(
        self, requests: Sequence[bytes], *, timeout: float | None = None
    ) -> list[bytes | RequestError]:
        """Send encoded requests that all have replies; answers come in the same order, errors among them."""
        if self._closed:
            raise DisplayLostError("the connection to the X server is closed")
        deadline = Deadline(self.timeout if timeout is None else timeout)
        answers: list[bytes | RequestError] = []
        try:
            for start in range(0, len(requests), _BATCH):
                batch = requests[start : start + _BATCH]
                self._stream.send(b"".join(batch), deadline)
                for _ in batch:
                    self._sequence = (self._sequence + 1) & 0xFFFF
                    answers.append(self._answer(deadline))
        except BaseException:
            self.close()
            raise
        return answers

    def ask(self, request: bytes, *, timeout: float | None = None) -> bytes:
        """Send one request and return its whole reply. Raises RequestError for the server's error."""
        answer = self.ask_all([request], timeout=timeout)[0]
        if isinstance(answer, RequestError):
            raise answer
        return answer

    def _answer(self, deadline: Deadline) -> bytes | RequestError:
        while True:
            head = self._stream.read(PACKET_SIZE, deadline)
            rest = packet_rest(self._order, head)
            packet = head + self._stream.read(rest, deadline) if rest else head
            if head[0] not in {ERROR, REPLY}:
                continue  # an event, such as MappingNotify, which goes to every client unasked
            if sequence_number(self._order, head) != self._sequence:
                raise MalformedAnswerError("the X server answered a request that was not sent")
            return packet if head[0] == REPLY else parse_error(self._order, packet)

    # The server

    def round_trip(self, *, timeout: float | None = None) -> None:
        """Return when the server has answered the smallest question there is."""
        self.ask(rq.encode_get_input_focus(self._order), timeout=timeout)

    def query_extension(self, name: str) -> rq.ExtensionAnswer:
        return rq.parse_query_extension(self._order, self.ask(rq.encode_query_extension(self._order, name)))

    def extensions_present(self, names: Sequence[str], *, timeout: float | None = None) -> frozenset[str]:
        """Those of the names that the server has, in one round trip."""
        asked = [rq.encode_query_extension(self._order, name) for name in names]
        found: set[str] = set()
        for name, answer in zip(names, self.ask_all(asked, timeout=timeout), strict=True):
            if isinstance(answer, RequestError):
                raise answer
            if rq.parse_query_extension(self._order, answer).present:
                found.add(name)
        return frozenset(found)

    def list_extensions(self) -> tuple[str, ...]:
        return rq.parse_list_extensions(self.ask(rq.encode_list_extensions(self._order)))

    def access_control(self, *, timeout: float | None = None) -> rq.AccessControl:
        """Who is let in without a cookie. Untrusted programs may not ask: BadAccess, a RequestError."""
        answer = self.ask(rq.encode_list_hosts(self._order), timeout=timeout)
        return rq.parse_list_hosts(self._order, answer)

    def atom(self, name: str) -> int:
        """The number of an atom, or 0 if no program has made it; asked anew each time, as servers reset."""
        return rq.parse_intern_atom(self._order, self.ask(rq.encode_intern_atom(self._order, name)))

    # Windows

    def tree(self, window: int) -> rq.Tree:
        return rq.parse_query_tree(self._order, self.ask(rq.encode_query_tree(self._order, window)))

    def trees(self, windows: Sequence[int]) -> list[rq.Tree | None]:
        """The trees of many windows, None for those that vanished."""
        answers = self.ask_all([rq.encode_query_tree(self._order, window) for window in windows])
        return [
            None if isinstance(one, RequestError) else rq.parse_query_tree(self._order, one)
            for one in answers
        ]

    def windows(self, *, depth: int = 32) -> list[int]:
        """All windows under the root, those nearest to the root first, at most `depth` levels."""
        found: list[int] = []
        level = [self.screen.root]
        for _ in range(depth):
            level = [child for tree in self.trees(level) if tree for child in tree.children]
            if not level:
                break
            found += level
        return found

    def attributes(self, window: int) -> rq.Attributes:
        return rq.parse_attributes(self._order, self.ask(rq.encode_get_attributes(self._order, window)))

    def geometry(self, drawable: int) -> rq.Geometry:
        return rq.parse_geometry(self._order, self.ask(rq.encode_get_geometry(self._order, drawable)))

    def absolute_position(self, window: int) -> tuple[int, int]:
        """Where the window's inside begins, in pixels from the corner of the screen."""
        request = rq.encode_translate(self._order, window, self.screen.root)
        position = rq.parse_translate(self._order, self.ask(request))
        return position.x, position.y

    def property(self, window: int, atom: int) -> rq.Property:
        """A property's first 4096 bytes; of type 0 if the window has none or the atom is 0."""
        if atom == rq.NO_ATOM:
            return rq.Property(rq.NO_ATOM, 0, b"")
        request = rq.encode_get_property(self._order, window, atom)
        return rq.parse_property(self._order, self.ask(request))

    def properties(self, windows: Sequence[int], atoms: Sequence[int]) -> list[list[rq.Property | None]]:
        """For each window the properties in the order of `atoms`; None where it vanished."""
        asked = [rq.encode_get_property(self._order, window, atom) for window in windows for atom in atoms]
        answers = iter(self.ask_all(asked))
        return [[self._property_or_none(next(answers)) for _ in atoms] for _ in windows]

    def _property_or_none(self, answer: bytes | RequestError) -> rq.Property | None:
        return None if isinstance(answer, RequestError) else rq.parse_property(self._order, answer)

    def text_property(self, window: int, atom: int) -> str | None:
        """A property as text, None if the window has none; see `decode_text`."""
        return decode_text(self.property(window, atom))

    def number_property(self, window: int, atom: int) -> int | None:
        """The first number of a 32-bit property such as _NET_WM_PID, None if the window has none."""
        found = self.property(window, atom)
        if found.item_bits != 32 or len(found.data) < 4:
            return None
        return int.from_bytes(found.data[:4], "little" if self._order is ByteOrder.LITTLE else "big")

    # Pictures

    def get_image(self, drawable: int, x: int, y: int, width: int, height: int) -> Image:
        """The pixels of a window (its children included) or of the root, in the drawable's own coordinates.

        Raises:
            BadMatchError: the window is not viewable, or not all of the rectangle is on screen and inside it.
            BadDrawableError: it is gone.
            DisplayError: its colours come from a colour map (8-bit screens).
        """
        request = rq.encode_get_image(self._order, drawable, x, y, width=width, height=height)
        raw = rq.parse_image(self._order, self.ask(request))
        visual = self.screen.visual(raw.visual_id) or self.screen.visual(self.screen.root_visual)
        layout = self.setup.format(raw.depth)
        if visual is None or layout is None:
            raise MalformedAnswerError(f"the X server has no pixmap format for depth {raw.depth}")
        if visual.visual_class not in {VisualClass.TRUE_COLOR, VisualClass.DIRECT_COLOR}:
            raise DisplayError(
                f"the window's colours come from a colour map ({raw.depth} bits a pixel)",
                hint="start the X server with a depth of 16, 24 or 30",
            )
        return Image(
            width=width,
            height=height,
            depth=raw.depth,
            bits_per_pixel=layout.bits_per_pixel,
            scanline_pad=layout.scanline_pad,
            byte_order="little" if self.setup.image_order is ByteOrder.LITTLE else "big",
            masks=(visual.red_mask, visual.green_mask, visual.blue_mask),
            data=raw.data,
        )


def decode_text(found: rq.Property) -> str | None:
    """The text of an 8-bit property, else None: STRING is Latin-1 (ICCCM 2.7.1), the rest UTF-8."""
    if found.type_atom == rq.NO_ATOM or found.item_bits != 8:
        return None
    data = found.data.rstrip(b"\0")
    return data.decode("latin-1") if found.type_atom == rq.ATOM_STRING else data.decode("utf-8", "replace")
