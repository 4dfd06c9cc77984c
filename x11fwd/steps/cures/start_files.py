"""Guards around lines of start files that overwrite DISPLAY, XAUTHORITY or MPLBACKEND; cures only.

A guarded line still does what it was written for, at the desk; in a session of ssh, or where there is a
display, it is passed over. Only lines that are one whole command are guarded; the rest is named and left.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

from x11fwd.facts.unknown import Unknown
from x11fwd.steps.cures.blocks import BEGIN, wrapped

if TYPE_CHECKING:
    from x11fwd.steps.cures.ground import Ground

__all__ = ["guard_authority", "guard_backend", "guard_display", "guard_qt_platform", "never_display"]

# Which shell reads a file decides the guard's language. Names below the home directory.
_SH_FILES = (
    *(".profile", ".bash_profile", ".bash_login", ".bashrc", ".bash_aliases", ".kshrc", ".mkshrc"),
    *(".zshenv", ".zprofile", ".zshrc", ".zlogin", ".xprofile"),
)
_CSH_FILES = (".cshrc", ".tcshrc", ".login")
_FISH_FILES = (".config/fish/config.fish",)

_IN_SESSION = {
    "sh": ('if [ -z "${SSH_CONNECTION:-}" ]; then', "fi"),
    "csh": ("if ( ! $?SSH_CONNECTION ) then", "endif"),
    "fish": ("if not set -q SSH_CONNECTION", "end"),
}
_WITH_DISPLAY = {
    "sh": ('if [ -z "${DISPLAY:-}" ]; then', "fi"),
    "csh": ("if ( ! $?DISPLAY ) then", "endif"),
    "fish": ("if not set -q DISPLAY", "end"),
}


def _pattern(language: str, variable: str) -> re.Pattern[str]:
    """A line that sets the variable, or takes it away, and does nothing before."""
    if language == "csh":
        return re.compile(rf"\s*(setenv\s+{variable}\s|unsetenv\s+{variable}\b)")
    if language == "fish":
        return re.compile(rf"\s*set\s+(-\w+\s+)*{variable}\b")
    return re.compile(
        rf"\s*((export\s+|declare\s+-x\s+|typeset\s+-x\s+)?{variable}=|unset\s+(-v\s+)?{variable}\b)"
    )


def _is_whole(line: str) -> bool:
    """Not the beginning of something longer: no line end escaped, no quote or bracket left open."""
    text = re.sub(r"\\.", "", line.strip())
    quotes = all(text.count(mark) % 2 == 0 for mark in "\"'`")
    return not line.rstrip().endswith("\\") and quotes and text.count("(") == text.count(")")


def _guard(ground: Ground, variable: str, guards: dict[str, tuple[str, str]], purpose: str) -> None:
    found = False
    for language, names in (("sh", _SH_FILES), ("csh", _CSH_FILES), ("fish", _FISH_FILES)):
        before, after = guards[language]
        for name in names:
            path = f"{ground.home}/{name}"
            if isinstance(ground.file(path), Unknown | None):
                continue
            title = f"Guard {variable} in ~/{name}: {purpose}"
            found |= ground.edit(path, title, partial(_guarded, language, variable, before, after))
    if not found and not ground.questions.files:
        ground.notes.append(f"no start file of yours sets {variable} in a line that can be guarded")


def _guarded(language: str, variable: str, before: str, after: str, text: str) -> str | None:
    pattern = _pattern(language, variable)
    lines = text.splitlines(keepends=True)
    changed = False
    for at, line in enumerate(lines):
        ours = at > 0 and (BEGIN in lines[at - 1] or (at > 1 and BEGIN in lines[at - 2]))
        if pattern.match(line) and _is_whole(line) and not ours:
            wrapped(lines, at, f"guard {variable}", before, after)
            changed = True
    return "".join(lines) if changed else None


def guard_display(ground: Ground) -> None:
    """F83: in a session of ssh, DISPLAY is sshd's."""
    _guard(ground, "DISPLAY", _IN_SESSION, "not in a session of ssh")


def guard_authority(ground: Ground) -> None:
    """F79: sshd's xauth has written ~/.Xauthority before the start files run."""
    _guard(ground, "XAUTHORITY", _IN_SESSION, "not in a session of ssh")


def guard_backend(ground: Ground) -> None:
    """F103: a backend without windows is for where there is no display."""
    _guard(ground, "MPLBACKEND", _WITH_DISPLAY, "not where there is a display")


def guard_qt_platform(ground: Ground) -> None:
    """F121: Qt's own choice is right where there is a display."""
    _guard(ground, "QT_QPA_PLATFORM", _WITH_DISPLAY, "not where there is a display")


def never_display(ground: Ground) -> None:
    """F11: on macOS launchd owns DISPLAY; a value of one's own defeats it."""
    if ground.local is None or ground.local.system.kernel != "Darwin":
        return
    _guard(ground, "DISPLAY", _WITH_DISPLAY, "not where launchd has set it")
