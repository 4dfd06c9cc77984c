"""`x11fwd explain` through the front door: what it takes, what it prints, how it ends."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import x11fwd
from tests.unit.golden import assert_golden
from x11fwd.cli import main
from x11fwd.explain.catalogue import CODES
from x11fwd.explain.pages import load_page, page_ids

Captured = pytest.CaptureFixture[str]
HERE = Path(__file__).parent
REFUSED = "X11 forwarding request failed on channel 0"


class Piped(io.BytesIO):
    """Standard input that is no terminal."""

    @property
    def buffer(self) -> io.BytesIO:
        return self

    def isatty(self) -> bool:
        return False


@pytest.fixture
def piped(monkeypatch: pytest.MonkeyPatch) -> Piped:
    """Standard input, to be filled by the test."""
    made = Piped()
    monkeypatch.setattr(sys, "stdin", made)
    return made


def fill(stream: Piped, data: bytes) -> None:
    stream.write(data)
    stream.seek(0)


@pytest.mark.parametrize("typed", ["F58", "f58", "remote-xauth-missing", " Remote-Xauth-Missing "])
def test_a_page_is_shown_for_its_code_and_its_id(typed: str, capsys: Captured) -> None:
    assert main(["explain", typed]) == 0
    out, err = capsys.readouterr()
    page = load_page("remote-xauth-missing")
    assert out.startswith(f"{page.title}\nF58 · remote-xauth-missing · remote\n")
    assert "Found by `x11fwd doctor --only remote-xauth-missing TARGET`" in out
    for part in page.parts:
        assert f"\n{part.title}\n" in out
    assert err == ""


def test_a_page_of_this_machine_needs_no_target(capsys: Captured) -> None:
    assert main(["explain", "F02"]) == 0
    assert "Found by `x11fwd doctor --only local-display-dead`" in capsys.readouterr().out


def test_a_page_without_a_check_says_so(capsys: Captured) -> None:
    assert main(["explain", "noise-not-failure"]) == 0
    assert "Advice: nothing to check (nothing is wrong)" in capsys.readouterr().out


def test_several_pages_may_be_asked_for(capsys: Captured) -> None:
    assert main(["explain", "F58", "trust-modes"]) == 0
    out = capsys.readouterr().out
    assert load_page("remote-xauth-missing").title in out
    assert load_page("trust-modes").title[:40] in out


@pytest.mark.parametrize("one", page_ids())
def test_every_page_fits_a_terminal_and_a_pipe(
    one: str, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert main(["explain", one]) == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out
    for line in out.splitlines():
        assert line == line.rstrip()
        # listings and addresses are never folded
        assert len(line) <= 80 or line.startswith(" " * 4) or "://" in line, line


def test_a_mistyped_id_is_told_what_is_near(capsys: Captured) -> None:
    assert main(["explain", "remote-xauht-missing"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "there is no page 'remote-xauht-missing'" in err
    assert "did you mean `x11fwd explain remote-xauth-missing`" in err


@pytest.mark.parametrize("typed", ["F135", "F0", "qqqqqqqq"])
def test_what_is_like_nothing_is_told_where_the_pages_are(typed: str, capsys: Captured) -> None:
    assert main(["explain", typed]) == 2
    assert "`x11fwd explain --list`" in capsys.readouterr().err


def untitled(text: str) -> str:
    """With the titles of pages, which are theirs to change, taken out."""
    for one in page_ids():
        text = text.replace(load_page(one).title, f"<title of {one}>")
    return text


def test_a_message_is_led_to_its_candidates(capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    assert main(["explain", REFUSED]) == 0
    assert_golden(HERE, "explain-message.txt", untitled(capsys.readouterr().out))


def test_a_message_may_be_typed_without_quotes(capsys: Captured) -> None:
    assert main(["explain", *REFUSED.split()]) == 0
    unquoted = capsys.readouterr().out
    main(["explain", REFUSED])
    assert unquoted == capsys.readouterr().out


def test_a_log_is_read_from_standard_input(
    capsys: Captured, piped: Piped, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    log = (
        "OpenSSH_9.2p1\ndebug1: Remote: No xauth program; cannot forward X11.\n"
        f'{REFUSED}\nXlib:  extension "RANDR" missing on display ":0".\n\xff'
    )
    for words in ([], ["-"]):
        fill(piped, log.encode("latin-1"))
        assert main(["explain", *words]) == 0
        assert_golden(HERE, "explain-log.txt", untitled(capsys.readouterr().out))
        piped.seek(0)
        piped.truncate()


def test_what_powershell_writes_is_read_too(capsys: Captured, piped: Piped) -> None:
    fill(piped, f"{REFUSED}\r\n".encode("utf-16"))
    assert main(["explain"]) == 0
    assert "remote-xauth-missing" in capsys.readouterr().out


def test_megabytes_are_bounded_and_their_ends_are_read(capsys: Captured, piped: Piped) -> None:
    fill(piped, b"x" * 30_000_000 + b"\nMaximum number of clients reached\n")
    assert main(["explain", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["candidates"][0]["id"] == "x-server-client-limit"


def test_an_unknown_message_is_said_to_be_unknown(capsys: Captured) -> None:
    assert main(["explain", "segmentation fault in my own program"]) == 1
    assert "None of the messages that x11fwd knows is in this text" in capsys.readouterr().out


def test_noise_is_called_harmless(capsys: Captured) -> None:
    assert main(["explain", 'Xlib:  extension "RANDR" missing on display "localhost:10.0".']) == 0
    assert "harmless: untrusted and old X servers lack extensions" in capsys.readouterr().out


def test_nothing_on_standard_input_is_an_error(capsys: Captured, piped: Piped) -> None:
    assert main(["explain"]) == 2
    assert "nothing on standard input" in capsys.readouterr().err


def test_nothing_at_a_terminal_is_an_error(
    capsys: Captured, piped: Piped, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Piped, "isatty", lambda _self: True)
    assert main(["explain"]) == 2
    assert "there is nothing to explain" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [["--list", "F58"], ["--list", "--html", "x"], ["F58", "--", "true"], ["--"]],
    ids=" ".join,
)
def test_what_cannot_be_meant_is_refused(words: list[str], capsys: Captured) -> None:
    assert main(["explain", *words]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "\nhint: " in err


def test_a_commands_output_is_not_mixed_with_json(capsys: Captured) -> None:
    assert main(["explain", "--json", "--", "true"]) == 2
    assert json.loads(capsys.readouterr().out)["hint"] == "leave out `--json`"


def test_the_list_has_a_line_for_every_page(capsys: Captured) -> None:
    assert main(["explain", "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines if line.split()[1] in CODES] == list(CODES.values())
    assert {line.split()[0] for line in lines} == set(page_ids())
    assert "remote-xauth-missing" in next(line for line in lines if " F58 " in line)
    assert all(line.split("  ")[0].strip() and line == line.rstrip() for line in lines)


def test_the_list_as_json(capsys: Captured) -> None:
    assert main(["explain", "--list", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == "x11fwd.explain/1"
    assert {page["id"] for page in document["pages"]} == set(page_ids())
    one = next(page for page in document["pages"] if page["code"] == "F58")
    assert one == {
        "id": "remote-xauth-missing",
        "code": "F58",
        "side": "remote",
        "title": load_page("remote-xauth-missing").title,
        "doctor": "x11fwd doctor --only remote-xauth-missing TARGET",
        "advice": None,
    }


def test_a_page_as_json(capsys: Captured) -> None:
    assert main(["explain", "--json", "F58"]) == 0
    (page,) = json.loads(capsys.readouterr().out)["pages"]
    assert [part["title"] for part in page["parts"]] == [
        "What you see",
        "How it is found out",
        "Cure",
        "Source",
    ]
    assert REFUSED in page["messages"]


def test_a_message_as_json(capsys: Captured) -> None:
    assert (
        main(["explain", "--json", f"debug1: Remote: No xauth program; cannot forward X11.\n{REFUSED}"]) == 0
    )
    document = json.loads(capsys.readouterr().out)
    titles = {one: load_page(one).title for one in ("remote-xauth-missing", "sshd-xauthlocation")}
    assert document["cause"]["line"] == 1
    assert [one["id"] for one in document["candidates"][:2]] == list(titles)
    assert [one["title"] for one in document["candidates"][:2]] == list(titles.values())
    assert document["doctor"].startswith(
        "x11fwd doctor --only remote-xauth-missing --only sshd-xauthlocation"
    )
    assert document["doctor"].endswith(" TARGET")
    assert [one["line"] for one in document["later"]] == [2]


def test_an_error_as_json(capsys: Captured) -> None:
    assert main(["explain", "--json", "qqqqqqqq"]) == 2
    assert json.loads(capsys.readouterr().out)["schema"] == "x11fwd.error/1"


def test_the_site_says_where_it_is(capsys: Captured, tmp_path: Path) -> None:
    assert main(["explain", "--html", str(tmp_path / "site")]) == 0
    assert capsys.readouterr().out == f"{len(page_ids())} pages: {tmp_path / 'site' / 'index.html'}\n"
    assert main(["explain", "--html", str(tmp_path / "site"), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["site"] == {"folder": str(tmp_path / "site"), "pages": len(page_ids())}


# --- a command behind `--` ----------------------------------------------------------------------------------


def explained(*command: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "x11fwd", "explain", "--", *command]
    root = Path(x11fwd.__file__).parent.parent
    return subprocess.run(
        argv,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(root)},
    )


def test_a_commands_last_words_are_explained_under_them() -> None:
    ran = explained("sh", "-c", f"echo answer; echo '{REFUSED}' >&2; exit 7", "--list", "-x")
    assert (ran.returncode, ran.stdout) == (7, "answer\n")
    assert ran.stderr.startswith(f"{REFUSED}\n\nx11fwd explain")
    assert "`x11fwd explain remote-xauth-missing`" in ran.stderr


def test_a_command_that_ends_well_and_says_nothing_known_is_left_alone() -> None:
    ran = explained("sh", "-c", "echo answer; echo fine >&2")
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "answer\n", "fine\n")


def test_a_command_that_only_makes_noise_is_left_alone() -> None:
    noise = 'Xlib:  extension "RANDR" missing on display ":0".'
    ran = explained("sh", "-c", f"echo '{noise}' >&2; exit 1")
    assert (ran.returncode, ran.stderr) == (1, f"{noise}\n")


def test_a_command_that_fails_with_words_unknown_is_told_so() -> None:
    ran = explained("sh", "-c", "echo strange >&2; exit 5")
    assert ran.returncode == 5
    assert "None of the messages" in ran.stderr


def test_a_warning_of_a_command_that_ends_well_is_explained() -> None:
    ran = explained(
        "sh", "-c", "echo 'UserWarning: FigureCanvasAgg is non-interactive, and thus cannot be shown' >&2"
    )
    assert ran.returncode == 0
    assert "`x11fwd explain mpl-dead-display-agg`" in ran.stderr


def test_a_command_that_is_not_there_is_an_error() -> None:
    ran = explained("no-such-program")
    assert ran.returncode == 2
    assert "`no-such-program` cannot be run" in ran.stderr


# --- what it loads ------------------------------------------------------------------------------------------


def test_a_page_needs_no_paramiko_and_no_yaml() -> None:
    code = "from x11fwd.cli import main; main(['explain', 'F58']); import sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"paramiko", "yaml", "matplotlib"} & set(done.stdout.splitlines()[-1].split())
