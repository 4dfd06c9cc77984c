"""What fuzzing found worth keeping is read without a crash, and in time (tests/fuzz)."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

import pytest

import tests.fuzz
from tests.fuzz.engine import Coverage, Fuzzer
from tests.fuzz.seeds import seeds
from tests.fuzz.targets import SIDES, TARGETS
from x11fwd.bridge.shared.faults import WireFault

CORPUS = Path(tests.fuzz.__file__).parent / "corpus"
MOST_BYTES = 300_000
LIMIT = 2.0  # seconds for one input


def test_the_corpus_is_small_and_has_no_unknown_targets() -> None:
    folders = {path.name for path in CORPUS.iterdir() if path.is_dir()}
    assert folders <= set(TARGETS)
    assert sum(path.stat().st_size for path in CORPUS.rglob("*") if path.is_file()) < MOST_BYTES
    assert sorted(name for names in SIDES.values() for name in names) == sorted(TARGETS)


@pytest.mark.parametrize("target", TARGETS)
def test_only_wire_faults_come_out_of_the_corpus(target: str) -> None:
    saved = [path.read_bytes() for path in sorted((CORPUS / target).glob("*"))]
    assert saved
    for data in [*seeds(target), *saved]:
        began = time.process_time()
        with contextlib.suppress(WireFault):
            TARGETS[target](data)
        assert time.process_time() - began < LIMIT


def _fragile(data: bytes) -> None:
    if data[:1] == b"l" and len(data) % 7 == 3:
        raise IndexError("found")


def test_the_fuzzer_finds_a_planted_fault_and_tells_new_edges() -> None:
    fuzzer = Fuzzer(_fragile, [b"l234", b"B"], 1)
    fuzzer.corpus = [b"l234"]
    fuzzer.run(0.5)
    assert any(what.startswith("IndexError") for what in fuzzer.findings)
    coverage = Coverage()
    short = set(coverage.run(TARGETS["setup"], b""))
    assert short
    assert short < short | coverage.run(TARGETS["setup"], seeds("setup")[0])
