"""Fuzz the bridge's wire code: ``python -m tests.fuzz --minutes 10 [target or side ...]``."""

from __future__ import annotations

import argparse
from pathlib import Path

from tests.fuzz.engine import Fuzzer, name_of
from tests.fuzz.seeds import seeds
from tests.fuzz.targets import SIDES, TARGETS

CORPUS = Path(__file__).parent / "corpus"
MOST_KEPT = 24_000  # bytes of one target's corpus


def main() -> int:
    """Fuzz the targets in turns; save what reaches most, and what went wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("targets", nargs="*", help=f"of {', '.join(TARGETS)}, or a side: {', '.join(SIDES)}")
    given = parser.parse_args()
    names = [name for one in given.targets or SIDES for name in SIDES.get(one, (one,))]
    bad = 0
    fuzzers = {}
    for name in names:
        saved = [path.read_bytes() for path in sorted((CORPUS / name).glob("*"))]
        fuzzers[name] = Fuzzer(TARGETS[name], [*seeds(name), *saved], given.seed)
    rounds = 10
    for turn in range(rounds):
        for name, fuzzer in fuzzers.items():
            fuzzer.run(given.minutes * 60 / len(names) / rounds)
            if turn % 3 == 2:
                print(name, fuzzer.executions, len(fuzzer.seen), [*fuzzer.findings], flush=True)
    for name, fuzzer in fuzzers.items():
        folder = CORPUS / name
        folder.mkdir(parents=True, exist_ok=True)
        for path in folder.glob("[0-9a-f]*"):
            path.unlink()
        for data in fuzzer.small_corpus(MOST_KEPT):
            (folder / name_of(data)).write_bytes(data)
        for what, data in fuzzer.findings.items():
            (folder / f"finding-{name_of(data)}").write_bytes(data)
            print(f"{name}: {what} ({name_of(data)})", flush=True)
            bad += 1
        print(
            f"{name}: {fuzzer.executions} executions, {len(fuzzer.seen)} edges, "
            f"slowest {fuzzer.slowest:.2f} s"
        )
    return 1 if bad else 0


if __name__ == "__main__":
    raise SystemExit(main())
