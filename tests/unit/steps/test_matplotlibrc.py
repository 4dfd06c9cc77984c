"""The backend line: in which file, with what around it."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import pytest

from tests.unit.steps.remotes import RC, bare, only, planned, ready, with_matplotlib
from x11fwd.errors import UsageError
from x11fwd.steps.plan import WriteFile

if TYPE_CHECKING:
    from x11fwd.facts.model import RemoteFacts


def unset(text: str | None = None) -> RemoteFacts:
    """A Debian 13: its /etc/matplotlibrc asks for nothing."""
    return with_matplotlib(ready("13"), rc_backend=None, backend_wish=None, user_rc_text=text)


def written(
    host: RemoteFacts, files: dict[str, bytes] | None = None, backend: str | None = None
) -> WriteFile:
    action = only(planned(host, files=dict(files or {}), backend=backend)).action
    assert isinstance(action, WriteFile)
    return action


def test_a_new_file_holds_one_line() -> None:
    assert written(unset()) == WriteFile(RC, b"backend: TkAgg\n", None)


def test_other_lines_and_comments_of_the_users_file_stay() -> None:
    text = "# mine\nfigure.dpi: 120\nbackend : agg  # for batch\nlines.linewidth: 2"
    action = written(with_matplotlib(unset(text), rc_file=RC))
    assert action.content == text.replace("agg ", "TkAgg ").encode()
    assert action.before_sha256 == hashlib.sha256(text.encode()).hexdigest()


def test_a_new_file_takes_over_what_the_systems_file_sets() -> None:
    # once the user has a file, matplotlib reads /etc/matplotlibrc no more
    system = b"## comment\n#lines.linewidth: 1\nfigure.dpi: 200\nbackend: agg\nsavefig.format: pdf # plots\n"
    action = written(unset(), {"/etc/matplotlibrc": system})
    assert action.content.decode().splitlines() == [
        "# From /etc/matplotlibrc, which this file hides:",
        "figure.dpi: 200",
        "savefig.format: pdf # plots",
        "backend: TkAgg",
    ]


def test_matplotlib_that_is_still_to_come_is_given_the_file_it_will_read() -> None:
    for variables, path in (
        ({}, RC),
        ({"XDG_CONFIG_HOME": "/home/ana/conf"}, "/home/ana/conf/matplotlib/matplotlibrc"),
        ({"MPLCONFIGDIR": "/home/ana/mpl", "XDG_CONFIG_HOME": "/x"}, "/home/ana/mpl/matplotlibrc"),
        ({"MATPLOTLIBRC": "/home/ana/my.rc"}, "/home/ana/my.rc"),
    ):
        plan = planned(replace(bare("13"), login_environment=MappingProxyType(variables)))
        action = plan.changes[-1].action
        assert isinstance(action, WriteFile)
        assert action.path == path


def test_the_users_old_file_counts_before_matplotlib_is_there() -> None:
    # /etc/matplotlibrc of Debian 12 will say TkAgg, and nobody will read it
    plan = planned(bare("12"), files={RC: b"backend: agg\n"})
    action = plan.changes[-1].action
    assert isinstance(action, WriteFile)
    assert action.content == b"backend: TkAgg\n"


@pytest.mark.parametrize(
    ("version", "asked", "backend"),
    [
        ("3.3.4", "QtAgg", "Qt5Agg"),
        ("3.5.0", "qtagg", "QtAgg"),
        ("3.3.4", "Qt5Agg", "Qt5Agg"),
        ("3.10.1", "GTK3Agg", "GTK3Agg"),
    ],
)
def test_the_backend_has_the_name_that_this_matplotlib_knows(version: str, asked: str, backend: str) -> None:
    host = with_matplotlib(unset(), version=version)
    assert host.python is not None
    host = replace(host, pythons=(replace(host.python, qt="PyQt5 5.15.2"),))
    assert written(host, backend=asked).content == f"backend: {backend}\n".encode()


@pytest.mark.parametrize("backend", ["Agg", "TkAg", "WebAgg", "Tk Agg", "module://x y"])
def test_a_backend_without_windows_is_refused(backend: str) -> None:
    with pytest.raises(UsageError) as raised:
        planned(unset(), backend=backend)
    assert backend in raised.value.message
    assert "TkAgg" in raised.value.hint
