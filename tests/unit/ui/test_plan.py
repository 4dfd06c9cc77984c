"""A plan as a person reads it before saying yes."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from tests.unit.golden import assert_golden
from x11fwd.steps.plan import Change, DiffLine, Plan, RunCommand
from x11fwd.ui.console import answer_console
from x11fwd.ui.plan import show_admin_note, show_plan

NOTHING = RunCommand(("true",), ("true",), ("true",))


def change(name: str, title: str, *diff: DiffLine, become: bool = True, note: str = "") -> Change:
    return Change(name, title, NOTHING, become=become, diff=diff, note=note)


PACKAGES = change(
    "packages-system",
    "Install xauth, python3-tk and python3-matplotlib",
    DiffLine("+", "xauth"),
    DiffLine("+", "python3-tk"),
    DiffLine("+", "python3-matplotlib"),
)
SSHD = change(
    "sshd-x11forwarding",
    "Allow X11 forwarding in sshd",
    DiffLine("@", "/etc/ssh/sshd_config.d/00-x11fwd.conf (new)"),
    DiffLine("+", "X11Forwarding yes"),
    note="sshd is reloaded, not restarted; the old files come back unless a new login confirms within 60 s",
)
RC = change(
    "matplotlibrc",
    "Let matplotlib open windows",
    DiffLine("@", "/home/ana/.config/matplotlib/matplotlibrc"),
    DiffLine("-", "backend: Agg"),
    DiffLine("+", "backend: TkAgg"),
    become=False,
)
PLANS = {
    "all": Plan("default", (PACKAGES, SSHD, RC)),
    "nothing": Plan("default", notes=("sshd allows X11 forwarding already",)),
    "no-root": Plan(
        "default", (RC,), (PACKAGES, SSHD), warnings=("$MPLBACKEND=Agg in ~/.profile would still win",)
    ),
    "only-admin": Plan("default", (), (SSHD,)),
}


@pytest.mark.parametrize("name", PLANS)
def test_the_plan_reads_as_it_was_accepted(name: str) -> None:
    out = io.StringIO()
    show_plan(PLANS[name], answer_console(out), host="gpu1")
    assert_golden(Path(__file__).parent, f"plan-{name}.txt", out.getvalue())


def test_the_note_is_not_wrapped_because_it_holds_commands() -> None:
    out = io.StringIO()
    line = "    printf '%s' " + "x" * 120
    show_admin_note(f"Hello,\n\n{line}\n", answer_console(out))
    assert line in out.getvalue().splitlines()


def test_a_file_of_the_remote_cannot_send_escape_sequences() -> None:
    out = io.StringIO()
    evil = change("x", "Write", DiffLine("@", "/x"), DiffLine("-", "a\x1b[2Jb"))
    show_plan(Plan("default", (evil,)), answer_console(out), host="gpu1")
    assert "\x1b" not in out.getvalue()
