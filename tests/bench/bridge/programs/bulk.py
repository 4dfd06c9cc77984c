"""Images put to a window as fast as the display takes them; copied to the host, speaks X11 by itself.

``bulk.py noise|picture SECONDS`` prints JSON: bytes of the images, seconds until the display had done them.
"""

from __future__ import annotations

import json
import os
import socket
import struct
import sys
import time

WIDTH, HEIGHT = 640, 96  # 245,760 bytes of pixels: one request below the 262,140 of X11 without BIG-REQUESTS


def main(content: str, seconds: float) -> None:
    connection, root, visual, base = connect(os.environ["DISPLAY"])
    window, context = base + 1, base + 2
    values = struct.pack("<2I", 0, 1)  # background pixel 0, override-redirect
    head = struct.pack("<BBHIIhhHHHHII", 1, 24, 10, window, root, 0, 0, WIDTH, 480, 0, 1, visual, 0x202)
    connection.sendall(head + values)
    connection.sendall(struct.pack("<BBHIII", 55, 0, 4, context, window, 0))
    connection.sendall(struct.pack("<BBHI", 8, 0, 2, window))
    images = [
        picture(number) if content == "picture" else os.urandom(WIDTH * HEIGHT * 4) for number in range(8)
    ]
    wait(connection)
    begun, sent = time.monotonic(), 0
    while time.monotonic() - begun < seconds:
        image = images[(sent // 5) % len(images)]
        top = sent % 5 * HEIGHT
        request = struct.pack(
            "<BBHIIHHhhBBH", 72, 2, 6 + len(image) // 4, window, context, WIDTH, HEIGHT, 0, top, 0, 24, 0
        )
        connection.sendall(request)
        connection.sendall(image)
        sent += 1
        if sent % 20 == 0:
            # Without a wait now and then the kernel's buffers alone would be measured on a short run.
            wait(connection)
    wait(connection)
    took = time.monotonic() - begun
    print(json.dumps({"bytes": sent * WIDTH * HEIGHT * 4, "seconds": took}))


def picture(number: int) -> bytes:
    """A colour gradient that moves; no row equals the one before."""
    return bytes(
        byte
        for y in range(HEIGHT)
        for x in range(WIDTH)
        for byte in ((x + y + number) & 255, (x >> 1) & 255, (y * 2 + number) & 255, 0)
    )


def connect(display: str) -> tuple[socket.socket, int, int, int]:
    """Greet the display on TCP with its cookie; returns socket, root window, visual, first own id."""
    host, _, number = display.partition(":")
    number = number.partition(".")[0]
    connection = socket.create_connection((host or "localhost", 6000 + int(number)))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    name, cookie = b"MIT-MAGIC-COOKIE-1", cookie_of(number)
    greeting = struct.pack("<BxHHHHxx", 0x6C, 11, 0, len(name), len(cookie))
    connection.sendall(greeting + name + bytes(-len(name) % 4) + cookie + bytes(-len(cookie) % 4))
    head = exactly(connection, 8)
    body = exactly(connection, struct.unpack_from("<H", head, 6)[0] * 4)
    if head[0] != 1:
        raise SystemExit(f"refused: {body!r}")
    base, vendor, formats = struct.unpack_from("<4xI8xH3xB", body)[:3]
    screen = 32 + vendor + (-vendor % 4) + 8 * formats
    root, visual = struct.unpack_from("<I28xI", body, screen)
    return connection, root, visual, base


def cookie_of(number: str) -> bytes:
    """The first cookie for this display number in the authority file (Xauth(3))."""
    path = os.environ.get("XAUTHORITY") or os.path.expanduser("~/.Xauthority")  # noqa: PTH111
    with open(path, "rb") as file:
        data = file.read()
    at = 0
    fields: list[bytes]
    while at < len(data):
        at += 2
        fields = []
        for _ in range(4):
            (size,) = struct.unpack_from(">H", data, at)
            fields.append(data[at + 2 : at + 2 + size])
            at += 2 + size
        if fields[1] in (b"", number.encode()):
            return fields[3]
    raise SystemExit("no cookie for this display")


def wait(connection: socket.socket) -> None:
    """GetInputFocus, and read until its reply."""
    connection.sendall(struct.pack("<BBH", 43, 0, 1))
    while exactly(connection, 32)[0] != 1:
        pass


def exactly(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = connection.recv(size - len(data))
        if not more:
            raise SystemExit("the display hung up")
        data += more
    return data


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
