"""The order in which one program gets the X server's answers and those made here; used by the remote half.

Every request of the program takes one number at the X server: it goes there, or something goes in its place
(NoOperation, or GetInputFocus with its reply taken out), so that both count alike. What the program gets
keeps the promises on which its library relies:

1. Numbers never run backwards, and never ahead of what the program sent. Only 16 bits travel: libxcb takes a
   smaller one for 65536 more (xcb_in.c, read_packet); Xlib then calls the sequence lost (xcb_io.c,
   poll_for_event: "Unknown sequence number while processing queue"; XlibInt.c, _XSetLastRequestRead). So an
   event that was under way while a later request was answered here gets that request's number.
2. Nothing with a higher number comes before a reply: libxcb takes a request for completed once it sees a
   higher number (xcb_in.c, read_packet: request_completed) and gives up its reply (poll_for_reply).
3. An error keeps its number and comes before the replies to later requests: programs look up who expected it
   by number (Tk_CreateErrorHandler, gdk_x11_display_error_trap_push), and XSync promises that errors have
   come. So an answer waits until no risky request before it can fail any more. The server is done with
   request n once it sends anything with a higher number, the reply to n, or its error (dix/dispatch.c,
   Dispatch: one request after the other, SendErrorToClient at the end). An event with number n says nothing
   of n itself.
"""

from collections import deque
from typing import Deque, List, NamedTuple, Optional, Sequence, Tuple, Union

from x11fwd.bridge.shared.faults import WireFault
from x11fwd.bridge.shared.majors import MAYBE_REPLY, ONE_REPLY, SEVERAL_REPLIES, last_of_several
from x11fwd.bridge.shared.packets import GET_INPUT_FOCUS, NO_OPERATION, empty_request, with_sequence
from x11fwd.bridge.shared.wire import ERROR, KEYMAP_NOTIFY, REPLY, Packet

# Requests in a row that may go without a sure answer from the server before one is asked for. After 65535 its
# numbers would not be understood; the library's own sync (xcb_out.c, xcb_send_request) may be answered here.
SYNC_STEP = 0x4000


_Expected = Deque[Tuple[int, int, int]]  # number, how many replies, major opcode


class _Held(NamedTuple):
    """An answer made here that waits: `after` is the request that must be settled before."""

    number: int
    after: int
    packets: Sequence[bytes]


class Sequencer:
    """The numbers and the order of one X connection in byte order `order`.

    For each request of the program, in order, one of `forward`, `answer` and `absorb`; for each packet of the
    server `receive`; after each of them `take` what is now due to the program.
    """

    def __init__(self, order: str) -> None:
        self._order = order
        self.number = 0  # of the program's last request
        self.received = 0  # true number of the last packet received
        self.settled = 0  # every request up to this one is done: it cannot fail and has had its replies
        self._last = 0  # number of the last packet given to the program
        self._risk = 0  # the last request that can fail without a sure answer
        self._sure = 0  # the last request that the server will surely answer, by reply or error
        self._shift = 0  # what the reader's numbers lack, a multiple of 65536
        self._awaited: _Expected = deque()  # requests whose real replies the program gets
        self._muted: _Expected = deque()  # requests whose real replies are taken out
        self._held: Deque[_Held] = deque()
        self._out: List[Union[bytes, memoryview]] = []
        self.held_bytes = 0  # of answers that wait

    @property
    def backlog(self) -> int:
        """How many requests wait for something; a caller stops reading the program when it is large."""
        return len(self._awaited) + len(self._muted) + len(self._held)

    @property
    def quiet(self) -> bool:
        """Whether the program waits for no answer: one that is given now comes next."""
        return not self._awaited and not self._held

    @property
    def at_risk(self) -> bool:
        """Whether a request that was forwarded may still fail."""
        return self._risk > self.settled

    def forward(self, replies: int, *, risky: bool, opcode: int = 0) -> int:
        """The next request goes to the server: its number.

        `replies` as in majors; `opcode` (major) is needed for SEVERAL_REPLIES. `risky` says that it can fail,
        or that answers must wait until it is done for another reason, as when the program tells old events
        from new ones by their numbers (Tk and GTK, ConfigureNotify). A request with a sure reply never is.
        """
        self.number += 1
        if replies in {ONE_REPLY, SEVERAL_REPLIES}:
            self._awaited.append((self.number, replies, opcode))
            self._sure = self.number
        elif risky or replies == MAYBE_REPLY:
            self._risk = self.number
        return self.number

    def answer(self, packets: "Sequence[bytes]") -> bytes:
        """The next request is answered here, by replies or an error: what goes to the server in its place.

        The number in the packets is written here.
        """
        self.number += 1
        self._hold(packets)
        stand_in = self._stand_in(sync=self._risk > max(self.settled, self._sure))
        self._flush(self.number)
        return stand_in

    def answer_and_forward(
        self, packets: "Sequence[bytes]", replies: int = ONE_REPLY, opcode: int = 0
    ) -> None:
        """The next request is answered here and goes to the server all the same, for what it does there.

        It must be one with a sure reply. What the server says to it is taken out: `receive` returns it.
        """
        if replies not in {ONE_REPLY, SEVERAL_REPLIES}:
            raise ValueError("only a request with a reply can be answered")
        self.number += 1
        self._hold(packets)
        self._muted.append((self.number, replies, opcode))
        self._sure = self.number
        self._flush(self.number)

    def absorb(self) -> bytes:
        """The next request has no reply and need not reach the server: what goes there in its place."""
        self.number += 1
        return self._stand_in(sync=False)

    def receive(self, packet: Packet) -> "Optional[Packet]":
        """A packet of the server: None, or the packet with its true number when it is not for the program.

        Raises:
            WireFault: the server answers what nobody asked.
        """
        if packet.kind == KEYMAP_NOTIFY:  # has no number and belongs to the event before it
            self._out.append(packet.data)
            return None
        number = self._true_number(packet)
        if number > self.number:
            raise WireFault("the X server answers request %d of %d" % (number, self.number))
        self.received = number
        self._settle(number - 1)
        self._flush(number)
        answers = packet.kind in {ERROR, REPLY}
        muted = answers and _is_head(self._muted, number)
        if not muted:
            self._give(packet.data, number)
        if answers and self._is_last(packet, number, self._muted if muted else self._awaited):
            self._settle(number)
        self._flush(self.number)
        return packet._replace(number=number) if muted else None

    def take(self) -> "List[Union[bytes, memoryview]]":
        """What is due to the program, in order."""
        found, self._out = self._out, []
        return found

    def _stand_in(self, *, sync: bool) -> bytes:
        """What takes the place of the last request at the server."""
        if sync or self.number - max(self._sure, self.settled) >= SYNC_STEP:
            self._muted.append((self.number, ONE_REPLY, GET_INPUT_FOCUS))
            self._sure = self.number
            return empty_request(GET_INPUT_FOCUS, self._order)
        return empty_request(NO_OPERATION, self._order)

    def _hold(self, packets: "Sequence[bytes]") -> None:
        numbered = [with_sequence(packet, self.number, self._order) for packet in packets]
        self._held.append(_Held(self.number, self._risk, numbered))
        self.held_bytes += sum(map(len, numbered))

    def _flush(self, limit: int) -> None:
        """Give the program the answers of requests up to `limit` that need not wait."""
        held = self._held
        while held and held[0].number <= limit and held[0].after <= self.settled:
            number = held[0].number
            if self._awaited and self._awaited[0][0] < number:
                return
            for packet in held.popleft().packets:
                self._give(packet, number)
                self.held_bytes -= len(packet)

    def _give(self, packet: "Union[bytes, memoryview]", number: int) -> None:
        if number < self._last:
            packet = with_sequence(packet, self._last, self._order)
        else:
            self._last = number
        self._out.append(packet)

    def _settle(self, number: int) -> None:
        """The server is done with every request up to `number`."""
        self.settled = max(self.settled, number)
        for queue in (self._awaited, self._muted):
            while queue and queue[0][0] <= self.settled:
                queue.popleft()

    @staticmethod
    def _is_last(packet: Packet, number: int, queue: "_Expected") -> bool:
        """Whether the server has nothing more to say to the request, from what is expected of it."""
        if packet.kind == ERROR:
            return True
        if not _is_head(queue, number):  # a request that no description knows, maybe with more replies
            return False
        _, replies, opcode = queue[0]
        return replies == ONE_REPLY or last_of_several(opcode, packet.data[1])

    def _true_number(self, packet: Packet) -> int:
        """The reader's number, put right where more than 65535 requests went without an answer.

        That can happen in spite of SYNC_STEP when the library counts on an answer that was given here. A
        reply then shows it: it can only be to a request that awaits one.
        """
        number = packet.number + self._shift
        if packet.kind == REPLY or (packet.kind == ERROR and number <= self.settled):
            heads = [queue[0][0] for queue in (self._awaited, self._muted) if queue]
            missing = min(heads) - number if heads else 0
            if missing > 0 and not missing & 0xFFFF:
                self._shift += missing
                return number + missing
        return number


def _is_head(queue: "_Expected", number: int) -> bool:
    return bool(queue) and queue[0][0] == number
