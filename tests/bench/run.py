"""`x11fwd run` beside scp and ssh, its pictures beside an X window; as root: `python -m tests.bench.run`."""

from __future__ import annotations

import statistics
import sys
import time
from typing import TYPE_CHECKING

from tests.bench.timing import Contender, in_turn, table
from tests.lab.hosts import ChrootHost, Setup
from tests.lab.person import Person
from tests.lab.relay import Relay
from tests.lab.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Callable

PLOT = "import matplotlib.pyplot as plt\nplt.plot([1, 2, 3])\n%splt.show()\n"
TITLE = "plt.gcf().canvas.manager.set_window_title('benched')\n"


def overhead(person: Person, alias: str, runs: int) -> str:
    """A script that does nothing: run beside scp and ssh."""
    person.write("bench.py", "print('done')\n")
    contenders = [
        Contender("x11fwd run", person.x11fwd("run", alias, "bench.py")),
        Contender(
            "scp; ssh python3",
            ["sh", "-c", f"scp -q bench.py {alias}:/tmp/bench.py && ssh {alias} python3 /tmp/bench.py"],
        ),
    ]
    rows = in_turn(person, contenders, runs=runs)
    return table("a script that prints one line", rows, rows[1], better="times scp and ssh")


def until_seen(person: Person, words: list[str], seen: Callable[[], bool]) -> float:
    """Seconds from the start of the command until the figure is there."""
    begun = time.perf_counter()
    process = person.popen(words)
    try:
        while not seen():
            if time.perf_counter() - begun > 120:
                raise RuntimeError("no figure within 120 s")
            time.sleep(0.005)
        return time.perf_counter() - begun
    finally:
        process.terminate()
        process.wait(30)


def to_picture(person: Person, screen: Screen, alias: str, runs: int) -> dict[str, float]:
    """Medians of seconds to the first figure, each way."""
    person.write("plot.py", PLOT % "")
    person.write("window.py", PLOT % TITLE)
    picture = person.home / "seen/Figure_1.svg"
    found: dict[str, list[float]] = {"inline": [], "native window": [], "bridge window": []}

    def window() -> bool:
        return "benched" in screen.windows()

    for _ in range(runs):
        picture.unlink(missing_ok=True)
        words = person.x11fwd("run", "--pictures", "seen", alias, "plot.py")
        found["inline"].append(until_seen(person, words, picture.exists))
        for via in ("native", "bridge"):
            words = person.x11fwd("run", "--via", via, alias, "window.py")
            found[f"{via} window"].append(until_seen(person, words, window))
            while window():
                time.sleep(0.01)
    return {name: statistics.median(values) for name, values in found.items()}


def main(runs: int) -> None:
    with (
        Screen() as screen,
        Person() as person,
        ChrootHost("bookworm", "plot", Setup(x11_forwarding=True)) as host,
    ):
        person.use_screen(screen)
        for delay in (0.0, 0.025, 0.05):
            with Relay(host.port, delay=delay) as relay:
                alias = person.alias(f"far{delay * 2000:.0f}", host, port=relay.port)
                print(f"\n{delay * 2000:.0f} ms round trip\n\n{overhead(person, alias, runs)}")
                for name, seconds in to_picture(person, screen, alias, max(1, runs // 2)).items():
                    print(f"first figure, {name}: {seconds:.2f} s", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
