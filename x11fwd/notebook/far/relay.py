"""The far half's loop: orders to a worker, the browser's connections to the server; sent as text.

One selector serves the stream and all connections. Orders are worked on in a thread, so that signs of life
are answered meanwhile. It ends when the stream ends, when nothing came for SILENCE seconds (the near half
speaks every four), or by SIGTERM; the worker then has time to take back what it had begun.
"""

import json
import os
import queue
import selectors
import signal
import socket
import threading
import time
from typing import Any, Callable, Dict, Optional

from x11fwd.notebook.far.wire import CHUNK, CREDIT, WINDOW, Frames, WireError, frame

SILENCE = 45.0  # seconds
ALIVE_EVERY = 2.0  # seconds between looks at the server's process
FULL = 4 << 20  # bytes waiting for the line, above which nobody is read any more
MOST = 512  # connections of one browser at a time


class Door:
    """One connection of the browser's, and the server's socket that belongs to it."""

    def __init__(self, number: int, sock: "socket.socket") -> None:
        self.number = number
        self.sock = sock
        self.waiting = bytearray()  # for the server
        self.credit = WINDOW  # bytes that we may send
        self.taken = 0  # bytes given to the server since we last said so
        self.near_ended = False
        self.far_ended = False


class Relay:
    """Args: source, sink: descriptors of the stream; work: does one order, on a thread of its own."""

    def __init__(self, source: int, sink: int, work: "Callable[[Relay, Dict[str, Any]], None]") -> None:
        self.source, self.sink, self.work = source, sink, work
        self.reach: Optional[Callable[[], socket.socket]] = None  # connects to the server
        self.alive: Optional[Callable[[], bool]] = None  # whether the server still runs
        self.stopping = threading.Event()
        self.frames = Frames()
        self.out = bytearray()
        self.doors: Dict[int, Door] = {}
        self.words: queue.Queue[bytes] = queue.Queue()
        self.orders: queue.Queue[Optional[Dict[str, Any]]] = queue.Queue()
        self.selector = selectors.DefaultSelector()
        self.watched: Dict[int, int] = {}
        self.bell, self.ring = os.pipe()
        self.heard = time.monotonic()
        self.looked = 0.0

    def say(self, **about: "Any") -> None:
        """Send a message; any thread may."""
        self.words.put(frame(b"M", 0, json.dumps(about).encode("ascii")))
        os.write(self.ring, b"x")

    def run(self) -> None:
        """Until the stream ends."""
        for number in (signal.SIGTERM, signal.SIGHUP):
            if threading.current_thread() is threading.main_thread():
                signal.signal(number, lambda _number, _frame: self.stopping.set())
        for descriptor in (self.source, self.sink, self.bell, self.ring):
            os.set_blocking(descriptor, False)
        worker = threading.Thread(target=self.labour, name="worker")
        worker.daemon = True
        worker.start()
        try:
            while not self.stopping.is_set():
                self.turn()
        except (OSError, WireError):
            pass
        self.stopping.set()
        self.orders.put(None)
        for door in list(self.doors.values()):
            door.sock.close()
        worker.join(20.0)

    def labour(self) -> None:
        while True:
            order = self.orders.get()
            if order is None or self.stopping.is_set():
                return
            self.work(self, order)

    def turn(self) -> None:
        self.watch(self.source, selectors.EVENT_READ)
        self.watch(self.bell, selectors.EVENT_READ)
        full = len(self.out) > FULL
        for door in self.doors.values():
            wanted = selectors.EVENT_WRITE if door.waiting else 0
            if not door.far_ended and door.credit > 0 and not full:
                wanted |= selectors.EVENT_READ
            self.watch(door.sock.fileno(), wanted)
        if self.out:
            # source and sink may be one socket, and even one number: a copy has a number of its own
            self.watch_sink(selectors.EVENT_WRITE)
        ready = self.selector.select(1.0)
        if self.out:
            self.watch_sink(0)
        by_number = {door.sock.fileno(): door for door in self.doors.values()}
        for key, events in ready:
            if key.fd == self.source:
                self.listen()
            elif key.fd == self.bell:
                os.read(self.bell, 4096)
            elif key.fd in by_number:
                door = by_number[key.fd]
                if events & selectors.EVENT_WRITE and self.doors.get(door.number) is door:
                    self.give(door)
                if events & selectors.EVENT_READ and self.doors.get(door.number) is door:
                    self.take(door)
        while not self.words.empty():
            self.out += self.words.get()
        self.send()
        self.look()

    def watch(self, descriptor: int, events: int) -> None:
        before = self.watched.get(descriptor, 0)
        if events == before:
            return
        if not before:
            self.selector.register(descriptor, events)
        elif not events:
            self.selector.unregister(descriptor)
        else:
            self.selector.modify(descriptor, events)
        self.watched[descriptor] = events

    def watch_sink(self, events: int) -> None:
        if not hasattr(self, "sink_copy"):
            self.sink_copy = os.dup(self.sink)
        self.watch(self.sink_copy, events)

    def send(self) -> None:
        try:
            while self.out:
                del self.out[: os.write(self.sink, self.out[: 1 << 18])]
        except BlockingIOError:
            pass

    def look(self) -> None:
        now = time.monotonic()
        if now - self.heard > SILENCE:
            self.stopping.set()
        if self.alive is not None and now - self.looked > ALIVE_EVERY:
            self.looked = now
            if not self.alive():
                self.alive = self.reach = None
                self.say(gone=True)

    def listen(self) -> None:
        try:
            data = os.read(self.source, 1 << 18)
        except BlockingIOError:
            return
        if not data:
            self.stopping.set()
            return
        self.heard = time.monotonic()
        for kind, number, payload in self.frames.feed(data):
            if kind == b"J":
                self.orders.put(json.loads(payload.decode("utf-8")))
            elif kind == b"Z":
                self.out += frame(b"Z")
            elif kind == b"O":
                self.open(number)
            else:
                door = self.doors.get(number)
                if door is not None:
                    self.hear(door, kind, payload)

    def hear(self, door: Door, kind: bytes, payload: bytes) -> None:
        if kind == b"D":
            door.waiting += payload
            self.give(door)
        elif kind == b"E":
            door.near_ended = True
            self.give(door)
        elif kind == b"W":
            door.credit += CREDIT.unpack(payload)[0]
        elif kind == b"C":
            self.close(door, tell=False)

    def open(self, number: int) -> None:
        if number in self.doors:
            self.close(self.doors[number], tell=False)
        try:
            if self.reach is None or len(self.doors) >= MOST:
                raise OSError
            sock = self.reach()
        except OSError:
            self.out += frame(b"C", number)
            return
        sock.setblocking(False)
        self.doors[number] = Door(number, sock)

    def give(self, door: Door) -> None:
        """To the server."""
        try:
            while door.waiting:
                sent = door.sock.send(door.waiting[: 1 << 18])
                del door.waiting[:sent]
                door.taken += sent
            if door.near_ended:
                door.sock.shutdown(socket.SHUT_WR)
        except BlockingIOError:
            pass
        except OSError:
            self.close(door, tell=True)
            return
        if door.taken >= WINDOW // 4:
            self.out += frame(b"W", door.number, CREDIT.pack(door.taken))
            door.taken = 0
        self.finish(door)

    def take(self, door: Door) -> None:
        """From the server."""
        try:
            data = door.sock.recv(min(CHUNK, door.credit))
        except BlockingIOError:
            return
        except OSError:
            self.close(door, tell=True)
            return
        if data:
            door.credit -= len(data)
            self.out += frame(b"D", door.number, data)
            return
        door.far_ended = True
        self.out += frame(b"E", door.number)
        self.finish(door)

    def finish(self, door: Door) -> None:
        if door.far_ended and door.near_ended and not door.waiting:
            self.close(door, tell=False)

    def close(self, door: Door, tell: bool) -> None:
        if self.doors.pop(door.number, None) is None:
            return
        self.watch(door.sock.fileno(), 0)
        door.sock.close()
        if tell:
            self.out += frame(b"C", door.number)
