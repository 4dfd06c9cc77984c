"""One connection of a program to the display: the socket, and what waits for it; `main` uses it."""

import socket
import sys
from collections import deque
from typing import TYPE_CHECKING, Deque, List, Optional, Tuple

from x11fwd.bridge.shared.queues import ByteQueue
from x11fwd.bridge.shared.wire import ProgramReader, Request

if TYPE_CHECKING:
    from x11fwd.bridge.remote.program import Program

CHUNK = 1 << 18  # bytes that are read at once
UNSENT = 1 << 16  # bytes for the link that wait; beyond, the program waits, so that what it draws is not late
UNREAD = 1 << 20  # bytes for the program that wait; beyond, it is not asked for more


class Visitor:
    """A program that has connected; `program` is there once its cookie is right and it has a connection."""

    def __init__(self, connected: socket.socket) -> None:
        self.socket = connected
        self.reader = ProgramReader()
        self.program: Optional[Program] = None
        self.connection = 0  # its number on the link; 0 while it has none
        self.early: List[Request] = []  # requests that came before the connection was there
        self.early_setup = b""  # the start of a setup reply
        self.answers = ByteQueue()
        self.unconsumed = 0  # bytes of the link that are in `answers`
        self.greeted = False  # the cookie is right
        # What waits for promises made to other programs: (whose, up to which request) and records
        self.held: Deque[Tuple[List[Tuple[Visitor, int]], List[bytes]]] = deque()
        self.held_bytes = 0
        self.held_since = 0.0
        self.held_left = 0  # bytes of whose promises it waits for that had not gone out by then
        self.ending = False  # nothing more comes from the X server: end once `answers` is empty

    def hold(self, now: float) -> None:
        """It waits from now on."""
        self.held_since, self.held_left = now, sys.maxsize

    def read(self) -> bytes:
        """What the program has sent; b"" at its end.

        Raises:
            BlockingIOError: nothing.
            OSError: it has gone.
        """
        return self.socket.recv(CHUNK)

    def write(self) -> int:
        """Give the program what it takes: how many bytes that was; raises OSError when it has gone."""
        before = self.answers.size
        try:
            while self.answers.size:
                self.answers.drop(self.socket.sendmsg(self.answers.gathered()))
        except BlockingIOError:
            pass
        return before - self.answers.size

    def reads(self, waiting: int) -> bool:
        """Whether more may be taken from the program; `waiting` bytes of it wait for the link."""
        if self.ending or waiting + self.held_bytes > UNSENT or self.answers.size > UNREAD:
            return False
        if self.program is None:
            return not self.greeted
        return not self.program.full
