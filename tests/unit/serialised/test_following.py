"""A file comes when it is written, again when it has changed, and else not; nobody's lies are believed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from x11fwd.errors import ConnectionLost, ProbeError
from x11fwd.serialised import follow_remote, following
from x11fwd.serialised.following import FileFollower, FileNews, Happened, Wanted, follow_command
from x11fwd.transports.local import LocalTransport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence


class Watch:
    """Files of this machine, followed, and everything that came of them."""

    def __init__(self, wanted: Wanted) -> None:
        self.follower = FileFollower(wanted)
        self.heard: list[FileNews] = []
        self._asked = 0
        self.attach()

    def attach(self) -> None:
        self.follower.attach(LocalTransport().stream(follow_command()))

    def until(self, done: Callable[[FileNews], bool], limit: float = 60.0) -> FileNews:
        """The next that is so; each is asked about once."""
        end = time.monotonic() + limit
        while True:
            while self._asked < len(self.heard):
                self._asked += 1
                if done(self.heard[self._asked - 1]):
                    return self.heard[self._asked - 1]
            assert time.monotonic() < end, self.heard
            self.heard += self.follower.news(90.0)

    def until_is(self, what: Happened, name: str = "") -> FileNews:
        return self.until(lambda one: one.what is what and one.path.endswith(name))


@pytest.fixture
def watch() -> Iterator[Callable[..., Watch]]:
    made: list[Watch] = []

    def start(
        *paths: Path | str, unopened: str = "", patience: float = 60.0, python: str = sys.executable
    ) -> Watch:
        wanted = Wanted([str(path) for path in paths], python, "", unopened, patience)
        made.append(Watch(wanted))
        return made[-1]

    yield start
    for one in made:
        one.follower.detach()


def aged(path: Path) -> Path:
    """As if it had been lying there for a while."""
    os.utime(path, (time.time() - 60, time.time() - 60))
    return path


def test_all_has_been_told_only_once_a_file_that_changed_while_it_was_read_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.csv").write_text("1,2\n")
    aged(tmp_path / "a.csv")
    sent: list[str] = []
    whole, looks = follow_remote.whole, [0]

    def changed_at_first(path: str, seen: os.stat_result, grown: bool) -> bytes:
        looks[0] += 1
        return whole(path, seen, grown) if looks[0] > 1 else b""

    def alive(_self: follow_remote.Follower, _wait: float) -> None:
        if "read" in sent or looks[0] > 9:
            raise follow_remote.GoneError

    asked = {"wanted": [str(tmp_path)], "known": {}, "endings": [".csv"], "pickled": [], "unopened": ""}
    monkeypatch.setattr(follow_remote, "send", lambda news, _data=b"": sent.append(news["e"]))
    monkeypatch.setattr(follow_remote, "whole", changed_at_first)
    monkeypatch.setattr(follow_remote.Follower, "alive", alive)
    with pytest.raises(follow_remote.GoneError):
        follow_remote.Follower({**asked, "largest": 1000, "heaviest": 1000}).run()
    assert sent == ["alive", "file", "read"]


def test_a_file_comes_whole_and_again_when_it_is_replaced(
    tmp_path: Path, watch: Callable[..., Watch]
) -> None:
    file = tmp_path / "a b.csv"
    file.write_bytes(b"1,2\n")
    aged(file)
    one = watch(file)
    assert one.until_is(Happened.FILE).data == b"1,2\n"
    one.until_is(Happened.READ)
    (tmp_path / "part").write_bytes(b"1,2\n3,4\n")
    (tmp_path / "part").replace(file)
    assert one.until_is(Happened.FILE).data == b"1,2\n3,4\n"
    file.unlink()
    one.until_is(Happened.GONE)
    file.write_bytes(b"5\n")
    assert one.until_is(Happened.FILE).data == b"5\n"
    assert not any(news.what is Happened.NONE for news in one.heard)


def test_what_is_not_there_yet_is_told_and_comes_when_it_is(
    tmp_path: Path, watch: Callable[..., Watch]
) -> None:
    one = watch(tmp_path / "*.png", tmp_path / "later.csv")
    assert {one.until_is(Happened.NONE).wanted, one.until_is(Happened.NONE).wanted} == {0, 1}
    one.until_is(Happened.READ)
    (tmp_path / "x.png").write_bytes(b"not much of a picture")
    assert one.until_is(Happened.FILE).path.endswith("/x.png")


def test_patterns_and_folders_come_in_the_order_of_people(
    tmp_path: Path, watch: Callable[..., Watch]
) -> None:
    for name in ("p10.png", "p2.png", "p1.png", "notes.txt", ".hidden.png"):
        (tmp_path / name).write_bytes(b"x")
        aged(tmp_path / name)
    one = watch(tmp_path)
    one.until_is(Happened.READ)
    names = [Path(news.path).name for news in one.heard if news.what is Happened.FILE]
    assert names == ["p1.png", "p2.png", "p10.png"]
    literal = tmp_path / "odd[1].png"
    literal.write_bytes(b"y")
    assert watch(aged(literal)).until_is(Happened.FILE).data == b"y"


def test_a_file_that_is_being_written_waits_until_it_rests(
    tmp_path: Path, watch: Callable[..., Watch]
) -> None:
    file = tmp_path / "slow.csv"
    writer = """
import sys, time
with open(sys.argv[1], "wb", 0) as file:
    for at in range(12):
        file.write(b"%d\\n" % at)
        time.sleep(0.05)
"""
    one = watch(file)
    one.until_is(Happened.NONE)
    assert subprocess.run([sys.executable, "-c", writer, str(file)], check=False).returncode == 0
    last = one.until(lambda news: news.what is Happened.FILE and news.data.endswith(b"11\n"))
    assert last.data.count(b"\n") == 12


def test_what_cannot_be_taken_is_refused_in_words(tmp_path: Path, watch: Callable[..., Watch]) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "empty.png").write_bytes(b"")
    with (tmp_path / "huge.npy").open("wb") as file:
        file.truncate(following.LARGEST + 1)
    (tmp_path / "one.pickle").write_bytes(b"N.")
    for path in tmp_path.iterdir():
        aged(path)
    one = watch(*sorted(tmp_path.iterdir()), unopened="is closed")
    one.until_is(Happened.READ)
    assert {Path(news.path).name: news.why for news in one.heard if news.what is Happened.REFUSED} == {
        "empty.png": "it is empty",
        "huge.npy": "it has 64 MB; show takes at most 64 MB",
        "one.pickle": "is closed",
        "pipe.png": "it is no regular file",
    }


def test_after_a_break_only_what_changed_comes_again(tmp_path: Path, watch: Callable[..., Watch]) -> None:
    for name in ("a.csv", "b.csv", "c.csv"):
        (tmp_path / name).write_bytes(b"1\n")
        aged(tmp_path / name)
    one = watch(tmp_path)
    one.until_is(Happened.READ)
    one.follower.detach()
    with pytest.raises(ConnectionLost):
        one.follower.news(1.0)
    (tmp_path / "b.csv").write_bytes(b"2\n")
    aged(tmp_path / "b.csv")
    (tmp_path / "c.csv").unlink()
    before = len(one.heard)
    one.attach()
    one.until_is(Happened.READ)
    told = [(news.what, Path(news.path).name) for news in one.heard[before:] if news.path]
    assert told == [(Happened.GONE, "c.csv"), (Happened.FILE, "b.csv")]


def test_more_than_200_files_of_a_pattern_are_counted(tmp_path: Path, watch: Callable[..., Watch]) -> None:
    for at in range(203):
        (tmp_path / f"{at}.csv").write_bytes(b"1\n")
        aged(tmp_path / f"{at}.csv")
    one = watch(tmp_path)
    one.until_is(Happened.READ)
    assert [news.why for news in one.heard if news.what is Happened.MANY] == [
        "203 files; the first 200 are shown"
    ]
    assert sum(news.what is Happened.FILE for news in one.heard) == 200


def test_a_pickle_that_takes_too_long_is_ended(tmp_path: Path, watch: Callable[..., Watch]) -> None:
    file = tmp_path / "slow.pickle"
    file.write_bytes(b"ctime\nsleep\n(I600\ntR.")  # a call of time.sleep(600), as protocol 0 writes it
    aged(file)
    one = watch(file, patience=1.0)
    assert one.until_is(Happened.REFUSED).why == "opening it took more than 1 s over there"


def test_a_python_that_is_not_there_is_named(tmp_path: Path, watch: Callable[..., Watch]) -> None:
    file = tmp_path / "a.pickle"
    file.write_bytes(b"N.")
    one = watch(aged(file), python=str(tmp_path / "no-python"))
    assert "`--python PATH`" in one.until_is(Happened.REFUSED).why


def pythons() -> list[Path]:
    """Every Python from 3.6 under pyenv's versions, and the one that runs the tests."""
    root = Path(os.environ.get("PYENV_ROOT", "/root/.pyenv")) / "versions"
    found = [path / "bin" / "python" for path in sorted(root.glob("3.*"))] if root.is_dir() else []
    return [*found, Path(sys.executable)]


@pytest.mark.parametrize("python", pythons(), ids=str)
def test_both_far_halves_run_on_every_python(
    tmp_path: Path, python: Path, watch: Callable[..., Watch]
) -> None:
    (tmp_path / "a.pickle").write_bytes(b"(lp0\nI1\na.")  # [1]
    (tmp_path / "b.json").write_text('{"data": [], "layout": {}}', encoding="utf-8")
    (tmp_path / "c.csv").write_bytes(b"1\n")
    for path in tmp_path.iterdir():
        aged(path)

    program = follow_command()[-1]
    stream = LocalTransport().stream([str(python), "-c", program])
    one = FileFollower(Wanted([str(tmp_path)], str(python)))
    one.attach(stream)
    heard: list[FileNews] = []
    end = time.monotonic() + 60
    while not any(news.what is Happened.READ for news in heard):
        assert time.monotonic() < end
        heard += one.news(90.0)
    one.detach()
    told = {Path(news.path).name: news for news in heard if news.data}
    assert b"it holds a builtins.list, which is no figure" in told["a.pickle"].data
    assert b'"form": "plotly"' in told["b.json"].data
    assert told["c.csv"].data == b"1\n"


class Scripted:
    """A stream that says what it was given, a few bytes at a time."""

    def __init__(self, *parts: bytes) -> None:
        self.parts = list(parts)

    def read(self, limit: int, timeout: float | None = None) -> bytes:
        return self.parts.pop(0) if self.parts else b""

    def write(self, data: bytes) -> None: ...

    def close_write(self) -> None: ...

    def stderr(self) -> bytes:
        return b""

    def wait(self, timeout: float | None = None) -> int:
        return 0

    def close(self) -> None: ...


def heard(*parts: bytes) -> Sequence[FileNews]:
    follower = FileFollower(Wanted(["a.png"]))
    follower.attach(Scripted(*parts))
    return [one for _ in parts for one in follower.news(1.0)]


def test_a_message_may_come_in_pieces() -> None:
    head = json.dumps({"e": "file", "n": 0, "path": "a.png", "sign": "1", "size": 4}).encode() + b"\n"
    assert [one.data for one in heard(b'{"e": "ali', b've"}\n' + head[:9], head[9:] + b"ab", b"cd")] == [
        b"abcd"
    ]


@pytest.mark.parametrize(
    "said",
    [
        b"Welcome to the machine\n",
        b"[1]\n",
        b"[" * 5000 + b"\n",
        b"x" * 30_000,
        b'{"e": "file", "n": 0, "size": 99999999999}\n',
        b'{"e": "file", "n": 0, "size": -1}\n',
        b'{"e": "file", "n": 7, "path": "a.png"}\n',
        b'{"e": "file", "n": "0"}\n',
        b'{"e": "something"}\n',
        b'{"e": ["file"]}\n',
        b'{"e": "file", "n": 0, "packed": true, "size": 3}\nabc',
        b'{"e": "python"}\n',
    ],
)
def test_what_is_not_ours_to_understand_is_a_fault(said: bytes) -> None:
    with pytest.raises(ProbeError):
        heard(said)


def test_what_unpacks_to_more_than_was_allowed_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "LARGEST", 1000)
    monkeypatch.setattr(following, "_CHUNK", 1000)
    packed = zlib.compress(bytes(100_000))
    head = json.dumps({"e": "file", "n": 0, "packed": True, "size": len(packed)}).encode() + b"\n"
    with pytest.raises(ProbeError, match="larger"):
        heard(head + packed)
