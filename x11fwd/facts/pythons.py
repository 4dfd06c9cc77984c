"""What probe_python.py printed in each interpreter, as PythonFacts; pure, imported by facts/parse.py."""

from __future__ import annotations

import json
import posixpath
import re
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from x11fwd.facts.matplotlibrc import find_backend_line
from x11fwd.facts.model import (
    MatplotlibFacts,
    OpenCvFacts,
    PythonFacts,
    PythonKind,
    QtFacts,
    SettingSource,
    ToolkitFacts,
    Unknown,
    WindowTry,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from x11fwd.facts.answers import Answers

__all__ = ["SYSTEM_FOLDERS", "PythonAnswers", "parse_python", "parse_pythons"]

_NOT_ASKED = Unknown("not asked")
SYSTEM_FOLDERS = (
    *("/System/Library/", "/Library/Developer/", "/opt/homebrew/opt/python", "/opt/homebrew/Cellar/python"),
    *("/nix/store/", "/gnu/store/"),
)
_SHORT = Unknown("only the first interpreter is asked in full")


@dataclass(frozen=True)
class PythonAnswers:
    """What the interpreters say.

    Attributes:
        pythons: the one a user would get first.
        handshake: "ok" or the reason, None where there is no DISPLAY, Unknown where nobody could try.
        round_trip: seconds, of the display that answered; None without one.
        authority: the authority file that the handshake used; `entries` the display names in it.
    """

    pythons: tuple[PythonFacts, ...] = ()
    handshake: str | Unknown | None = None
    round_trip: float | None = None
    authority: str = ""
    entries: tuple[str, ...] | Unknown = _NOT_ASKED


class _Answer:
    """A JSON object whose fields are asked for by type, so that a foreign value cannot travel on."""

    def __init__(self, values: object) -> None:
        self._values: Mapping[str, object] = values if isinstance(values, dict) else {}

    def text(self, name: str) -> str | None:
        value = self._values.get(name)
        return value if isinstance(value, str) else None

    def yes(self, name: str, default: bool = False) -> bool:
        value = self._values.get(name)
        return value if isinstance(value, bool) else default

    def number(self, name: str) -> float | None:
        value = self._values.get(name)
        return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None

    def inner(self, name: str) -> _Answer:
        return _Answer(self._values.get(name))

    def lines(self, name: str) -> list[tuple[int, str]] | None:
        value = self._values.get(name)
        if not isinstance(value, list):
            return None
        pairs = [one for one in value if isinstance(one, list) and len(one) == 2]
        return [(n, text) for n, text in pairs if isinstance(n, int) and isinstance(text, str)]

    def sources(self, name: str) -> tuple[SettingSource, ...]:
        value = self._values.get(name)
        found = []
        for one in value if isinstance(value, list) else ():
            file, line, text = one if isinstance(one, list) and len(one) == 3 else (None, None, None)
            if isinstance(file, str) and isinstance(line, int) and isinstance(text, str):
                found.append(SettingSource(file, line, text=text))
        return tuple(found)

    def strings(self) -> dict[str, str]:
        return {name: value for name, value in self._values.items() if isinstance(value, str)}

    def words(self, name: str) -> tuple[str, ...] | None:
        value = self._values.get(name)
        return tuple(one for one in value if isinstance(one, str)) if isinstance(value, list) else None

    def __bool__(self) -> bool:
        return bool(self._values)


def parse_pythons(answers: Answers) -> PythonAnswers:
    """All interpreters, each one once."""
    lines = (*answers.all("python.named"), *answers.all("python.full"), *answers.all("python.short"))
    tool = answers.first("conda.tool")
    found: list[PythonFacts] = []
    result = PythonAnswers(handshake=_untried(answers, "no Python is there to try it with"))
    seen: set[tuple[str, str]] = set()
    for line in lines:
        found_by, path, text = ([*line.split("\t", 2), "", ""])[:3]
        python, answer = parse_python(found_by, path, text)
        identity = (python.prefix, python.version)
        if python.version and identity in seen:
            continue  # the interpreter behind a shim of pyenv that was asked before
        seen.add(identity)
        found.append(replace(python, tool=tool) if python.kind is PythonKind.CONDA else python)
        shake = answer.inner("handshake")
        if shake:
            names = shake.words("entries")
            result = PythonAnswers(
                handshake=_handshake(shake),
                round_trip=shake.number("trip"),
                authority=shake.text("authority") or "",
                entries=names
                if names is not None
                else Unknown(shake.text("authority_problem") or "not asked"),
            )
        elif not python.version and isinstance(result.handshake, Unknown):
            why = f"{path} could not be asked: {python.problem}"
            result = PythonAnswers(handshake=_untried(answers, why))
    return replace(result, pythons=tuple(found))


def _untried(answers: Answers, why: str) -> Unknown | None:
    """Nobody could try: that matters only where there is a DISPLAY, or where that is not known either."""
    environment = answers.text("login.environment")
    if environment is not None and not re.search(r"^DISPLAY=.", environment, re.MULTILINE):
        return None
    return Unknown(why)


def _handshake(shake: _Answer) -> str | None:
    if not shake.text("display"):
        return None
    return "ok" if shake.yes("ok") else shake.text("problem") or "no answer"


def parse_python(found_by: str, path: str, text: str) -> tuple[PythonFacts, _Answer]:
    """One interpreter's line: JSON, or `!` and the reason why there is none."""
    if text.startswith("!") or not text:
        return PythonFacts(path, found_by, problem=text[1:] or "it printed nothing"), _Answer(None)
    try:
        answer = _Answer(json.loads(text))
    except ValueError:
        return PythonFacts(path, found_by, problem="its answer was cut short"), _Answer(None)
    tk, qt = answer.inner("tk"), answer.inner("qt")
    binding = qt.text("module")
    # one that is as it was (seen_before.py) has made no handshake, and all the rest was kept
    in_full = bool(answer.inner("handshake")) or bool(answer.text("same") and answer.inner("matplotlib"))
    python = PythonFacts(
        path,
        found_by,
        executable=answer.text("executable") or "",
        version=answer.text("version") or "",
        prefix=answer.text("prefix") or "",
        base_prefix=answer.text("base_prefix") or "",
        kind=_kind(answer),
        externally_managed=answer.yes("managed"),
        has_pip=answer.yes("pip"),
        tkinter=tk.text("version"),
        tkinter_problem=tk.text("problem") or "",
        qt=f"{binding} {qt.text('version') or ''}".strip() if binding else None,
        matplotlib=_matplotlib(answer.inner("matplotlib"), in_full=in_full),
        qt_problem=qt.text("problem") or "",
        toolkits=_toolkits(answer) if in_full else ToolkitFacts(),
    )
    return python, answer


def _toolkits(answer: _Answer) -> ToolkitFacts:
    grounds, environment = answer.inner("grounds"), answer.inner("environment")
    opencv = grounds.words("opencv") or ()
    return ToolkitFacts(
        libx11_problem=grounds.text("libx11") or "",
        tk_elsewhere=answer.inner("tk").words("elsewhere") or (),
        qt=_qt(answer.inner("qt")),
        window=_window(answer.inner("window")),
        opencv=OpenCvFacts(*opencv) if len(opencv) == 2 else None,
        opengl=grounds.words("opengl") or (),
        emoji_font=grounds.text("emoji"),
        libxft=grounds.text("xft") or "",
        environment=MappingProxyType(environment.inner("variables").strings()),
        at_start=frozenset(environment.words("changed") or ()),
    )


def _qt(qt: _Answer) -> QtFacts | None:
    if not qt.yes("imported"):
        return None
    return QtFacts(qt.text("plugin"), qt.text("lacks") or "", qt.words("missing") or ())


def _window(window: _Answer) -> WindowTry | Unknown:
    toolkit, reason = window.text("toolkit") or "", window.text("reason")
    if reason == "far":
        cost = window.number("cost") or 0.0
        return Unknown(f"it would take about {cost:.1f} s at this distance")
    if reason is not None or not toolkit:
        return Unknown(reason or "it gave no answer")
    return WindowTry(
        toolkit,
        window.yes("ok"),
        words=window.text("words") or "",
        status=int(window.number("status") or 0),
        fonts=window.text("fonts") or "",
        platform=window.text("platform") or "",
    )


def _kind(answer: _Answer) -> PythonKind:
    prefix, base = answer.text("prefix") or "", answer.text("base_prefix") or ""
    if prefix != base:
        return PythonKind.VENV
    if answer.yes("conda"):
        return PythonKind.CONDA
    parts = posixpath.normpath(base).split("/")
    if "uv" in parts and "python" in parts:
        return PythonKind.UV
    if "versions" in parts and any("pyenv" in part for part in parts):
        return PythonKind.PYENV
    if base in {"/usr", "/"} or base.startswith(SYSTEM_FOLDERS):
        return PythonKind.SYSTEM
    if base == "/usr/local" and (answer.text("platform") or "").startswith("freebsd"):
        return PythonKind.SYSTEM
    return PythonKind.OTHER


def _matplotlib(plots: _Answer, *, in_full: bool) -> MatplotlibFacts:
    version = plots.text("version")
    problem = plots.text("problem") or ""
    if not in_full or version is None or problem:
        return MatplotlibFacts(
            version,
            backend_wish=_wish(plots, None, ""),
            backend=_SHORT if not in_full else Unknown(problem or "not installed"),
            problem=problem,
        )
    rc_file = plots.text("rc_file")
    line = find_backend_line(plots.lines("rc_lines") or [])
    rc_backend = SettingSource(file=rc_file, line=line.number, text=line.text) if line else None
    exists = plots.yes("user_rc_exists")
    text = plots.text("user_rc_text")
    backend = plots.text("backend")
    return MatplotlibFacts(
        version,
        rc_file=rc_file,
        rc_backend=rc_backend,
        backend_wish=_wish(plots, rc_backend, line.value if line else ""),
        backend=backend
        if backend is not None
        else Unknown(plots.text("backend_problem") or "it gave no answer"),
        user_rc=plots.text("user_rc"),
        user_rc_exists=exists,
        user_rc_text=text if text is not None else Unknown("it is not readable") if exists else None,
        backend_fallback=plots.yes("fallback", default=True),
        interactive=plots.yes("interactive"),
        forced=plots.text("forced"),
        start_lines=plots.sources("start_lines"),
        shell_lines=plots.sources("shell_lines"),
        config_dir=plots.text("config_dir") or "",
        config_temporary=plots.yes("config_temporary"),
    )


def _wish(plots: _Answer, rc_backend: SettingSource | None, value: str) -> tuple[str, SettingSource] | None:
    variable = plots.text("variable")
    if variable:
        return variable, SettingSource(variable="MPLBACKEND", text=f"MPLBACKEND={variable}")
    wish = plots.text("wish")
    if wish is not None and plots.text("forced"):
        lines = plots.sources("start_lines")
        return wish, lines[0] if lines else SettingSource(text="a start file of this Python's")
    if wish is None or rc_backend is None:
        return None
    return (wish or value), rc_backend
