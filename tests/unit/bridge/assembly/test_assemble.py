"""The remote half as it is sent: small, the same each time, run by every Python, and made only once."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

import x11fwd
from tests.unit.bridge.test_everywhere import interpreters
from x11fwd.bridge.assembly.assemble import (
    MAIN,
    NAME,
    Assembled,
    assemble,
    assembled,
    files,
    ready_made,
    write_ready_made,
)
from x11fwd.bridge.assembly.join import joined

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


def test_a_wheel_has_it_ready_made_and_it_is_what_the_sources_give(program: Assembled) -> None:
    """CI runs this from the wheel that it has built from the sdist, with the Python that built it."""
    top = Path(x11fwd.__file__).parent
    checkout = (top.parent / "pyproject.toml").exists() and (top.parent / "playbooks").exists()
    ready = ready_made()
    # one in a checkout would be forgotten there
    assert (top / "bridge/assembly" / NAME).exists() is not checkout
    assert (top / "bridge/assembly/wheel_hook.py").exists() is checkout
    if not checkout:
        texts = {name: Path(path).read_text(encoding="utf-8") for name, path in files().items()}
        assert ready == assembled(joined(texts, MAIN))
        assert program == ready


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """What a wheel brings."""
    path = tmp_path_factory.mktemp("shipped") / NAME
    write_ready_made(str(path))
    return path.read_bytes()


@pytest.fixture
def wheel(shipped: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The bridge's sources as they lie where a wheel with a ready-made half was installed."""
    folder = tmp_path / "bridge"
    own = Path(x11fwd.__file__).parent / "bridge"
    shutil.copytree(own, folder, ignore=shutil.ignore_patterns("__pycache__", NAME))
    monkeypatch.setattr("x11fwd.bridge.assembly.assemble._top", lambda: str(folder))
    (folder / "assembly" / NAME).write_bytes(shipped)
    return folder


def test_a_ready_made_one_is_taken_and_nothing_is_made(
    wheel: Path, tmp_path: Path, program: Assembled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("x11fwd.bridge.assembly.join.joined", None)
    assert wheel.is_dir()
    assert assemble() == program
    assert assemble(str(tmp_path / "cache")) == program


def test_it_is_written_the_same_each_time_wherever_the_sources_lie(wheel: Path, shipped: bytes) -> None:
    write_ready_made(str(wheel / "again"))
    assert (wheel / "again").read_bytes() == shipped


@pytest.mark.parametrize(
    "changed",
    ["remote/main.py", "remote/rules/again.py", "assembly/squeeze.py", "bootstrap/loader.py", "new"],
)
def test_a_ready_made_one_of_other_sources_is_not_taken(
    changed: str, wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if changed == "new":
        (wheel / "remote/another.py").write_text('"""Something."""\n')
    else:
        path = wheel / changed
        status = path.stat()
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace("a", "b", 1), encoding="utf-8")
        assert path.stat().st_size == status.st_size
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))  # by its content, not by its date
    assert ready_made() is None


def test_a_damaged_ready_made_one_is_not_taken(wheel: Path, program: Assembled) -> None:
    path = wheel / "assembly" / NAME
    path.write_bytes(path.read_bytes()[:-3])
    assert ready_made() is None
    assert assemble() == program


def test_a_program_of_ones_own_has_the_same_loader(program: Assembled) -> None:
    own = assembled(b"def main(argv, early=b''):\n return 0\n")
    assert own.loader == program.loader
    assert own.digest != program.digest
