"""Takes down what dead test runs left behind; run at session start, and as the guardian of a live run.

``python tests/lab/sweep.py`` removes leftovers of dead runs. ``--when-stdin-ends DIR`` waits until standard
input ends (the owner closed it, or died) and takes that one run down.
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path


def main(argv: list[str]) -> int:
    """Command line of the sweep; returns the exit status."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    from tests.lab import runs

    if argv[:1] == ["--when-stdin-ends"] and len(argv) == 2:
        # Ctrl-C in a terminal and a CI's SIGTERM reach the owner; the guardian must outlive it.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        sys.stdin.read()
        runs.take_down(Path(argv[1]))
        return 0
    if argv:
        print("usage: sweep.py [--when-stdin-ends DIR]", file=sys.stderr)
        return 2
    for name in runs.sweep():
        print(f"taken down: {name}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
