"""How long a typed key takes to come back in the shell of the connection that carries the windows."""

from __future__ import annotations

import contextlib
import random
import statistics
import string
import time
from typing import TYPE_CHECKING

from tests.bench.bridge.desk import THERE
from tests.bench.bridge.trial import LIMIT, Trial
from tests.lab import runs

if TYPE_CHECKING:
    from tests.bench.bridge.desk import Desk
    from tests.bench.bridge.links import Link, Route
    from tests.lab.terminal import Terminal


def echo_trial(desk: Desk, link: Link, route: Route, toolkit: str, keys: int) -> Trial:
    """A shell session with a plot in the background: echo at rest, and while it draws frames."""
    trial = Trial("echo", link.name, route.key, toolkit)
    desk.move_to(link)
    desk.eye.forget()
    script = desk.script()
    terminal = desk.person.pty(desk.command(route, []))
    try:
        terminal.read_until(r"\$ ", limit=30)
        words = f"python3 {THERE}/plot.py {toolkit} {THERE}/files"
        terminal.send(f"{words} </dev/null >/dev/null 2>&1 & exec cat >/dev/null\r")
        desk.eye.first_plot(LIMIT, lambda: True)
        script.wait_for("ready", LIMIT)
        desk.counts()
        for name, frames in (("rest", 0), ("moving", 100_000)):
            if frames:
                script.wait_for(f"began {script.order('move', frames, 300)}", 30)
                time.sleep(1)
            times = _type(terminal, keys)
            trial.values[f"echo {name}"] = statistics.median(times)
            trial.values[f"echo {name} 95 %"] = sorted(times)[int(len(times) * 0.95)]
    except (TimeoutError, runs.LabError) as error:
        trial.failed = str(error)[-1500:]
    script.order("quit")
    with contextlib.suppress(OSError, runs.LabError):
        terminal.send("\r\x04")
        terminal.wait(limit=30)
    terminal.close()
    desk.wait_until_left()
    return trial


def _type(terminal: Terminal, keys: int) -> list[float]:
    """Seconds from each key to its echo, which the terminal on the host gives, not a program."""
    uneven = random.Random(1)  # so that keys do not fall into step with frames
    times = []
    for number in range(keys):
        time.sleep(uneven.uniform(0.02, 0.08))
        letter = string.ascii_lowercase[number % 26]
        begun = time.monotonic()
        terminal.send(letter)
        terminal.read_until(letter, limit=60)
        times.append(time.monotonic() - begun)
    return times
