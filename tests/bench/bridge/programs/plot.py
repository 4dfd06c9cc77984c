"""A figure that moves and carries its own frame number in pixels; copied to the host, steered by files.

``plot.py BACKEND FOLDER``: what happened when (CLOCK_MONOTONIC, the same for both ends on one machine) is
written to FOLDER/said; FOLDER/order holds ``<number> <move|same|stop|quit> <frames> <seconds>``.
"""

from __future__ import annotations

import os
import sys
import time

WIDTH, HEIGHT, CELL, BITS = 640, 480, 8, 16
TOP, BOTTOM = 32, 400  # where the number's cells begin, in the first and in the last rows


def main(backend: str, folder: str) -> None:
    said = os.open(os.path.join(folder, "said"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)  # noqa: PTH118

    def say(*words: object) -> None:
        os.write(said, (" ".join(map(str, words)) + "\n").encode())

    say("started", time.monotonic())
    import matplotlib as mpl

    mpl.use(backend)
    import numpy as np
    from matplotlib import pyplot as plt

    say("imported", time.monotonic())
    x = np.linspace(0, 10, 400)
    figure = plt.figure(figsize=(WIDTH / 100, HEIGHT / 100), dpi=100)
    (line,) = figure.add_subplot().plot(x, np.sin(x))

    def cells(colours: list[tuple[int, int, int]], left: int, top: int):  # type: ignore[no-untyped-def]
        image = np.zeros((CELL, CELL * len(colours), 4), np.uint8)
        for place, colour in enumerate(colours):
            image[:, place * CELL : (place + 1) * CELL] = (*colour, 255)
        return figure.figimage(image, left, HEIGHT - CELL - top)

    def bits(number: int) -> list[tuple[int, int, int]]:
        return [(255, 255, 255) if number >> bit & 1 else (0, 0, 0) for bit in range(BITS)]

    cells([(255, 0, 255)] * 2, 0, 0)
    cells([(0, 255, 255)] * 2, WIDTH - 2 * CELL, HEIGHT - CELL)
    numbers = [cells(bits(0), TOP, 0), cells(bits(0), BOTTOM, HEIGHT - CELL)]

    def show(number: int) -> None:
        image = np.zeros((CELL, CELL * BITS, 4), np.uint8)
        for place, colour in enumerate(bits(number)):
            image[:, place * CELL : (place + 1) * CELL] = (*colour, 255)
        for artist in numbers:
            artist.set_data(image)
        line.set_ydata(np.sin(x + number / 10))

    plt.show(block=False)
    figure.canvas.draw()
    figure.canvas.flush_events()
    say("drawn", time.monotonic())
    settled = time.monotonic() + 1
    while time.monotonic() < settled:
        figure.canvas.flush_events()
        time.sleep(0.02)
    say("ready", time.monotonic())

    done, frame, order_path = 0, 0, os.path.join(folder, "order")  # noqa: PTH118
    while True:
        order = read(order_path)
        if not order or int(order[0]) <= done:
            time.sleep(0.005)
            continue
        done, verb = int(order[0]), order[1]
        if verb == "quit":
            plt.close(figure)
            return
        frames, end = int(order[2]), time.monotonic() + float(order[3])
        say("began", done, time.monotonic())
        count = 0
        while count < frames and time.monotonic() < end:
            if verb == "move":
                frame += 1
                show(frame)
            figure.canvas.draw()
            if verb == "move":
                say("frame", frame, time.monotonic())
            figure.canvas.flush_events()
            count += 1
            if read(order_path)[:1] != [str(done)]:
                break
        say("done", done, time.monotonic(), count)
        if verb == "move":  # what waits in the toolkit still leaves
            figure.canvas.flush_events()


def read(path: str) -> list[str]:
    """The order's words, none while there is no order."""
    try:
        with open(path) as file:
            return file.read().split()
    except FileNotFoundError:
        return []


if __name__ == "__main__":
    main(*sys.argv[1:])
