"""The report as a person reads it, at 80 columns and without colour, compared whole."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.unit.checks.seen import (
    MAIN,
    bare,
    healthy,
    refused,
    refused_by_server,
    with_files,
    with_local,
    with_matplotlib,
    with_remote,
)
from tests.unit.golden import assert_golden
from x11fwd.checks import diagnose, exit_code, root_cause
from x11fwd.checks.check import Aim, Seen
from x11fwd.checks.report import Finding, Report, Side, Status
from x11fwd.facts.model import SettingSource, Unknown
from x11fwd.ui.console import answer_console
from x11fwd.ui.report import show_report
from x11fwd.x11.client import HandshakeStatus

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).parent


def report_of(seen: Seen) -> Report:
    findings = diagnose(seen)
    return Report("doctor", seen.target, findings, root_cause(findings), exit_code(findings), 0.84)


def shown(seen: Seen, *, verbose: bool = False, encoding: str = "utf-8") -> str:
    raw = io.BytesIO()
    console = answer_console(io.TextIOWrapper(raw, encoding=encoding, write_through=True))
    aim = Aim(seen.target, seen.target) if seen.target else None
    show_report(report_of(seen), console, host=seen.host, aim=aim, verbose=verbose)
    return raw.getvalue().decode(encoding)


def dropin() -> Seen:
    files = {
        MAIN: f"Include {MAIN}.d/*.conf\nX11Forwarding yes\n",
        f"{MAIN}.d/50-hardening.conf": "X11Forwarding no\n",
    }
    return with_files(healthy(), files, "no")


def agg() -> Seen:
    return with_matplotlib(
        healthy(), backend="agg", backend_wish=("Agg", SettingSource(variable="MPLBACKEND"))
    )


CASES: dict[str, Callable[[], Seen]] = {
    "healthy": healthy,
    "bare": bare,
    "drop-in": dropin,
    "key": lambda: refused(
        healthy(),
        "/home/ana/.ssh/authorized_keys:3: key options: agent-forwarding pty",
        "X11 forwarding disabled by key options.",
    ),
    "mplbackend": agg,
    "here-only": lambda: Seen(healthy().local),
    "dead-display": lambda: with_local(
        with_matplotlib(with_remote(healthy(), remote_handshake="it hung up"), backend="agg"),
        handshake=refused_by_server(HandshakeStatus.NO_SOCKET, "No such file or directory"),
    ),
    "no-connection": lambda: Seen(
        healthy().local,
        host="gpu1",
        target="ana@gpu1",
        connected=False,
        refusal="gpu1 port 22: Connection refused",
        refusal_hint="is sshd running there, and is 22 its port?",
    ),
    "no-rights": lambda: with_remote(
        refused(healthy()),
        sshd=with_files(healthy(), {}, Unknown("only root may ask sshd")).there.sshd.__class__(
            "/usr/sbin/sshd",
            "OpenSSH_9.2p1",
            files=Unknown("only root may read them"),
            effective=Unknown("only root may ask sshd"),
        ),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_report_reads_as_it_was_accepted(name: str) -> None:
    assert_golden(HERE, f"report-{name}.txt", shown(CASES[name]()))


@pytest.mark.parametrize(("verbose", "times"), [(False, 1), (True, 3)])
def test_what_several_checks_could_not_ask_is_said_once(verbose: bool, times: int) -> None:
    open_question = Finding("a", Side.REMOTE, Status.UNKNOWN, "what matplotlib does on gpu1", "not asked")
    findings = tuple(replace(open_question, id=name) for name in "abc")
    out = io.StringIO()
    report = Report("doctor", "gpu1", findings, None, 1, 0.1)
    show_report(report, answer_console(out), host="gpu1", verbose=verbose)
    assert out.getvalue().count("? unknown what matplotlib does on gpu1\n") == times


@pytest.mark.parametrize("name", ["bare", "healthy"])
def test_the_verbose_report_reads_as_it_was_accepted(name: str) -> None:
    assert_golden(HERE, f"report-{name}-verbose.txt", shown(CASES[name](), verbose=True))


@pytest.mark.parametrize("name", CASES)
def test_no_line_is_wider_than_the_terminal_or_ends_in_blanks(name: str) -> None:
    for line in shown(CASES[name](), verbose=True).splitlines():
        # a command stays on one line, to be copied
        assert len(line) <= 80 or line.endswith("`"), line
        assert line == line.rstrip(), line


def test_a_locale_without_check_marks_gets_ascii_with_the_same_words() -> None:
    text = shown(bare(), encoding="ascii")
    assert "x fail" in text
    assert "+ ok" in text


def test_every_line_of_a_finding_has_a_symbol_and_a_word() -> None:
    words = {"✓": "ok", "✗": "fail", "!": "warn", "?": "unknown", "·": "skip"}
    lines = [
        line.split()
        for line in shown(bare(), verbose=True).splitlines()
        if line[:2] == "  " and line[2:3].strip()
    ]
    assert lines
    assert all(words.get(line[0]) == line[1] for line in lines)


def test_a_remote_cannot_send_escape_sequences_to_the_terminal() -> None:
    seen = with_files(healthy(), {MAIN: "X11Forwarding no # \x1b]0;owned\x07\n"}, "no")
    text = shown(seen)
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "\\x1b]0;owned" in text


def test_brackets_in_a_message_are_not_taken_for_markup() -> None:
    seen = with_local(healthy(), display="[::1]:99", display_used=None, display_problem="ssh refuses [bold]")
    assert "[bold]" in shown(seen)


def test_a_narrow_terminal_still_shows_every_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    text = shown(bare())
    assert max(len(line) for line in text.splitlines()) <= 40
    assert "X11 forwarding switched" in " ".join(text.split())
