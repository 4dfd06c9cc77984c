"""`x11fwd show` on this machine: exit codes, words, tables in the terminal, nothing opened unasked."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.unit.serialised.test_following import aged
from x11fwd.cli import main

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.csv").write_bytes(b"step,loss\n1,0.5\n")
    aged(tmp_path / "a.csv")
    return tmp_path


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["gpu1:"], "names no file"),
        (["--python", "-c", "gpu1:a.pickle"], "is no path of a Python"),
        (["--once", "--no-browser", "a.csv"], "`--once` goes with `--terminal`"),
        (["--viewer-port", "99999", "a.csv"], "99999"),
        ([], "PATH"),
    ],
)
def test_what_cannot_be_meant_is_code_2(
    here: Path, capfd: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    assert main(["show", *words]) == 2
    assert said in capfd.readouterr().err


def test_a_machine_that_cannot_be_reached_is_code_3(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "--json", "-p", "1", "127.0.0.1:a.png"]) == 3
    assert json.loads(capfd.readouterr().out)["exit_code"] == 3


def test_the_document_says_how_it_stands_with_each_file(
    here: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["show", "--json", "a.csv", "none.png"]) == 1
    document = json.loads(capfd.readouterr().out)
    assert document == {
        "schema": "x11fwd.show/1",
        "ok": False,
        "exit_code": 1,
        "files": [
            {"typed": "a.csv", "path": "a.csv", "state": "shown", "kind": "csv", "bytes": 16, "why": ""},
            {"typed": "none.png", "path": "none.png", "state": "not there", "kind": "", "bytes": 0,
             "why": "is not there"},
        ],
    }  # fmt: skip


def test_a_table_in_the_terminal_ends_by_itself_where_nobody_looks(
    here: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["show", "--terminal", "a.csv"]) == 0
    out = capfd.readouterr().out
    assert "1 row, 2 columns" in out
    assert "step  loss" in out


def test_a_picture_that_no_terminal_takes_is_named(
    here: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(here))
    (here / "a.svg").write_bytes(b"<svg xmlns='http://www.w3.org/2000/svg'></svg>")
    aged(here / "a.svg")
    assert main(["show", "--terminal", "a.svg"]) == 0
    assert ".svg" in capfd.readouterr().out


def test_a_pickle_of_this_machine_is_not_opened_without_a_yes(
    here: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from x11fwd.ui.prompt import TerminalPrompter

    (here / "a.pickle").write_bytes(b"N.")
    aged(here / "a.pickle")
    asked: list[str] = []

    def answer(self: TerminalPrompter, question: str, *, default: bool = False) -> bool | None:
        asked.append(question)
        return None

    monkeypatch.setattr(TerminalPrompter, "confirm", answer)
    assert main(["show", "--json", "a.pickle"]) == 1
    assert "`--yes` does that" in json.loads(capfd.readouterr().out)["files"][0]["why"]
    assert len(asked) == 1
    assert main(["show", "--json", "--yes", "a.pickle"]) == 1
    assert "NoneType" in json.loads(capfd.readouterr().out)["files"][0]["why"]
    assert len(asked) == 1


def test_a_single_file_opens_large_as_soon_as_it_can_be_seen(
    here: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from x11fwd.ui.show import PageShow
    from x11fwd.viewer.items import Note, Table
    from x11fwd.viewer.server import Viewer

    opened: list[str] = []

    def open_browser(address: str, *, refused: Callable[[], None]) -> bool:
        del refused
        opened.append(address)
        return True

    monkeypatch.setattr("x11fwd.viewer.browser.open_browser", open_browser)
    with Viewer("show") as viewer:
        page = PageShow(viewer, lambda: None, browser=True, single=True)
        page.put(Note("n", "a.pickle", "is being opened over there"))
        assert opened == []
        page.put(Table("t", "a", ("x",), ((1,),)))
        page.put(Table("u", "b", ("x",), ((1,),)))
        assert opened == [f"{viewer.address}#2"]
        PageShow(viewer, lambda: None, browser=False, single=False).pulse()
        assert viewer.address in capfd.readouterr().err
    assert len(opened) == 1


def test_what_cannot_be_shown_is_a_sentence_in_the_terminal(
    here: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (here / "zero.png").write_bytes(b"")
    aged(here / "zero.png")
    assert main(["show", "--terminal", "--once", "zero.png"]) == 1
    assert "zero.png is empty" in capfd.readouterr().err.splitlines()
