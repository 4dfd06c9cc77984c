"""What a rule is; the rules and `program` import it.

A rule answers requests of one kind for one program. It may answer only what the X server would have answered
had the request come there at any moment between the program's last answer and half a round trip ago; where it
cannot know, it returns None and the request travels.
"""

import struct
from typing import TYPE_CHECKING, Any, Callable, Dict, NamedTuple, Optional, Sequence, Tuple, TypeVar

from x11fwd.bridge.shared.wire import Packet, Request

if TYPE_CHECKING:
    from x11fwd.bridge.remote.knowledge import Knowledge
    from x11fwd.bridge.shared.resources import Resources
    from x11fwd.bridge.shared.setup import Setup

    State = TypeVar("State")


class Answer(NamedTuple):
    """What is done with a request that does not just travel.

    packets   the reply, replies or error for the program, sequence number left open; () for an absorbed
              request that has no reply.
    forward   the X server gets the request all the same, for what it does there, and its reply is taken out
              (only for requests with a reply); else NoOperation goes in its place.
    upstream  what the X server gets in place of the request, when that is another request without a reply
              (packets are () then).
    """

    packets: Tuple[bytes, ...] = ()
    forward: bool = False
    upstream: bytes = b""


class Surroundings:
    """What the rules of one program may look at; `order` is the byte order of the program."""

    def __init__(self, order: str, setup: "Setup", knowledge: "Knowledge", resources: "Resources") -> None:
        self.order = order
        self.setup = setup
        self.knowledge = knowledge
        self.resources = resources
        self.outstanding: Callable[[], int] = lambda: 0  # requests that wait for something of the X server
        self.settled: Callable[[], int] = lambda: 0  # the X server is done with requests up to this one
        # Whether an earlier request may still fail. An answer that counts on earlier requests is no faster
        # then than the server's own, as it would have to wait for the server all the same.
        self.at_risk: Callable[[], bool] = lambda: False
        self.waits: Callable[[], bool] = lambda: False  # an answer to an earlier request is to come first
        # Whether another program was told that its requests are done, and the X server has not done them yet.
        self.owed: Callable[[], bool] = lambda: False
        self._states: Dict[object, Any] = {}

    def state(self, kind: "Callable[[Surroundings], State]") -> "State":
        """The object of this kind that the program's rules have in common."""
        if kind not in self._states:
            self._states[kind] = kind(self)
        found: State = self._states[kind]
        return found


Key = Tuple[str, int]  # extension as in QueryExtension (CORE for the core protocol), opcode or minor opcode


class Rule:
    """One kind of answer; an object per program.

    `requests` are those that `answer` is asked about, `seen` those that `passes` is told of when they travel
    (before they do), `events` the core events that `event` is told of. A rule with `raw_events` is told of
    every event (extensions' codes are not the same everywhere).
    """

    requests: Tuple[Key, ...] = ()
    seen: Tuple[Key, ...] = ()
    events: Tuple[int, ...] = ()
    raw_events = False

    def __init__(self, around: Surroundings) -> None:
        self.around = around

    def answer(self, request: Request) -> Optional[Answer]:
        """The answer, or None when the request must travel; so must one that is too short (struct.error)."""
        raise NotImplementedError

    def passes(self, request: Request) -> None:
        """The request travels; also one of `requests` that `answer` gave None for."""

    def replied(self, request: Request, packet: Packet) -> None:
        """The X server's reply or error to a request that `passes` was told of (muted ones, too)."""

    def event(self, packet: Packet) -> None:
        """An event, before the program gets it."""

    # What most rules need.

    def words(self, request: Request, count: int, at: int = 0) -> "Sequence[int]":
        """`count` 32-bit words, `at` bytes behind the length."""
        return struct.unpack_from("%s%dI" % (self.around.order, count), request.data, request.body + at)

    @staticmethod
    def size(request: Request) -> int:
        """Bytes as if the length were a short one, as the protocol counts them."""
        return len(request.data) - request.body + 4


RuleTable = Sequence[Callable[[Surroundings], Rule]]
