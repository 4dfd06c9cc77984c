"""The remote half as it is sent: small, the same each time, run by every Python, and made only once."""

from __future__ import annotations

import hashlib
import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.unit.bridge.test_everywhere import interpreters
from x11fwd.bridge.assembly.assemble import Assembled, assemble, assembled

if TYPE_CHECKING:
    from pathlib import Path

SMALL = 200_000  # bytes, the limit of the issue


@pytest.fixture(scope="module")
def program() -> Assembled:
    return assemble()


def test_the_program_is_small_and_its_digest_is_of_it(program: Assembled) -> None:
    assert len(program.source) <= SMALL
    assert program.digest == hashlib.sha256(program.source).hexdigest()
    assert program.source.isascii()


def test_it_is_the_same_each_time(program: Assembled) -> None:
    assert assemble() == program


@pytest.mark.parametrize("python", interpreters())
def test_every_python_takes_it_and_loads_nothing_slow_for_it(
    python: str, program: Assembled, tmp_path: Path
) -> None:
    (tmp_path / "x11fwd_half.py").write_bytes(program.source)
    code = (
        "import sys; sys.path.append(sys.argv[1])\n"
        "import x11fwd_half\n"
        "slow = {'typing', 're', 'inspect', 'logging', 'asyncio', 'subprocess', 'hashlib', 'hmac'}\n"
        "print(callable(x11fwd_half.main), sorted(slow & set(sys.modules)))"
    )
    words = [python, "-E", "-s", "-S", "-c", code, str(tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    assert (done.stdout, done.stderr) == ("True []\n", "")


def test_it_is_made_once(tmp_path: Path, program: Assembled, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = tmp_path / "cache" / "x11fwd"
    assert assemble(str(cache)) == program
    assert [path.stat().st_mode & 0o777 for path in (cache, *cache.iterdir())] == [0o700, 0o600]
    monkeypatch.setattr("x11fwd.bridge.assembly.join.joined", None)
    assert assemble(str(cache)) == program


@pytest.mark.parametrize("damage", ["cut", "changed", "empty", "other version"])
def test_a_damaged_cache_is_made_anew(damage: str, tmp_path: Path, program: Assembled) -> None:
    assemble(str(tmp_path))
    [path] = tmp_path.iterdir()
    data = path.read_bytes()
    changed = {
        "cut": data[:-7],
        "changed": data[:-7] + bytes([data[-7] ^ 1]) + data[-6:],
        "empty": b"",
        "other version": data.replace(data[:4], b"0000", 1),
    }[damage]
    path.write_bytes(changed)
    assert assemble(str(tmp_path)) == program
    assert path.read_bytes() == data


def test_a_cache_that_cannot_be_written_is_no_error(tmp_path: Path, program: Assembled) -> None:
    (tmp_path / "file").write_text("")
    assert assemble(str(tmp_path / "file" / "below")) == program
    assert assemble(os.devnull) == program


def test_a_program_of_ones_own_has_the_same_loader(program: Assembled) -> None:
    own = assembled(b"def main(argv, early=b''):\n return 0\n")
    assert own.loader == program.loader
    assert own.digest != program.digest
