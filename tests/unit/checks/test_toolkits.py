"""Checks of Tk and Qt: one broken thing at a time, from a healthy pair of machines."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tests.unit.checks.seen import healthy, with_python
from x11fwd.checks import toolkit, toolkit_qt, toolkit_tk
from x11fwd.checks.report import Status
from x11fwd.facts.model import PythonKind, WindowTry

if TYPE_CHECKING:
    from x11fwd.checks.check import Seen


def _toolkits(seen: Seen, **changes: object) -> Seen:
    return with_python(seen, toolkits=replace(seen.python.toolkits, **changes))  # type: ignore[arg-type]


def _without_tk(problem: str = "ModuleNotFoundError: No module named '_tkinter'") -> Seen:
    return with_python(healthy(), tkinter=None, tkinter_problem=problem)


def test_tk_of_another_version_is_named_and_not_called_missing() -> None:
    seen = _toolkits(_without_tk(), tk_elsewhere=("/usr/lib/python3.12/lib-dynload/_tkinter.so",))
    verdict = toolkit_tk.wrong_package(seen)
    assert verdict.status is Status.FAIL
    assert verdict.fix
    assert "python3.11-tk" in verdict.fix.command
    assert toolkit_tk.missing_distro(seen).status is Status.SKIP


def test_a_built_python_without_tk_is_not_sent_to_the_distribution() -> None:
    seen = with_python(_without_tk(), kind=PythonKind.PYENV, base_prefix="/home/ana/.pyenv/versions/3.11.9")
    assert toolkit_tk.missing_built(seen).status is Status.FAIL
    assert toolkit_tk.missing_distro(seen).status is Status.SKIP


def test_an_old_build_of_uv_is_told_apart_from_lost_scripts() -> None:
    prefix = "/home/ana/.local/share/uv/python/cpython-3.11"
    seen = with_python(
        _without_tk("TclError: Can't find a usable init.tcl"), kind=PythonKind.UV, base_prefix=prefix
    )
    assert toolkit_tk.uv_standalone(seen).status is Status.FAIL
    assert toolkit_tk.library_lost(seen).status is Status.SKIP


def test_lost_scripts_of_tcl_are_not_a_missing_tk() -> None:
    seen = _without_tk("TclError: Can't find a usable init.tcl")
    assert toolkit_tk.library_lost(seen).status is Status.FAIL
    assert toolkit_tk.missing_distro(seen).status is Status.SKIP


def test_a_misspelt_platform_of_qt_matters_only_where_qt_draws() -> None:
    seen = _toolkits(healthy(), environment={"QT_QPA_PLATFORM": "xbc"})
    assert toolkit_qt.platform_variable(seen).status is Status.PASS


def test_a_window_that_aborts_is_a_failure_with_its_signal() -> None:
    seen = _toolkits(healthy(), window=WindowTry("tk", ok=False, words="X Error", status=-6))
    verdict = toolkit.window_opened(seen)
    assert verdict.status is Status.FAIL
    assert "signal 6" in verdict.evidence
