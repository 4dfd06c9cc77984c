"""Guards around lines of start files that overwrite DISPLAY, XAUTHORITY or MPLBACKEND; cures only.

A guarded line still does what it was written for, at the desk; in a session of ssh it is passed over. Only
lines that are one whole command about that variable are guarded; the rest is named and left.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from x11fwd.steps.cures.blocks import in_blocks, lines_of, wrapped
from x11fwd.steps.cures.shell_lines import Language, language_of, lines_alone, sets_only

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from x11fwd.steps.cures.ground import Ground

__all__ = ["guard_authority", "guard_backend", "guard_display", "guard_qt_platform", "never_display"]

# Names below the home directory, where the facts name no lines.
_USUAL = (
    *(".profile", ".bash_profile", ".bash_login", ".bashrc", ".bash_aliases", ".zshenv", ".zprofile"),
    *(".zshrc", ".zlogin", ".cshrc", ".tcshrc", ".login", ".config/fish/config.fish"),
)

_NOT_IN_SESSION = {
    Language.SH: ('if [ -z "${SSH_CONNECTION:-}" ]; then', "fi"),
    Language.CSH: ("if ( ! $?SSH_CONNECTION ) then", "endif"),
    Language.FISH: ("if not set -q SSH_CONNECTION", "end"),
}
# a session without X11 needs the backend that opens no window; so does cron, and the desk keeps its own
_NOT_WITH_FORWARDING = {
    Language.SH: ('if [ -z "${SSH_CONNECTION:-}" ] || [ -z "${DISPLAY:-}" ]; then', "fi"),
    Language.CSH: ("if ( ! $?SSH_CONNECTION || ! $?DISPLAY ) then", "endif"),
    Language.FISH: ("if not set -q SSH_CONNECTION; or not set -q DISPLAY", "end"),
}
_UNSET = {
    Language.SH: ('if [ -z "${DISPLAY:-}" ]; then', "fi"),
    Language.CSH: ("if ( ! $?DISPLAY ) then", "endif"),
    Language.FISH: ("if not set -q DISPLAY", "end"),
}
_Guards = dict[Language, tuple[str, str]]


def guard_display(ground: Ground) -> None:
    """F83: in a session of ssh, DISPLAY is sshd's."""
    _guard(ground, "DISPLAY", _NOT_IN_SESSION, "not in a session of ssh")


def guard_authority(ground: Ground) -> None:
    """F79: sshd's xauth has written ~/.Xauthority before the start files run."""
    _guard(ground, "XAUTHORITY", _NOT_IN_SESSION, "not in a session of ssh")


def guard_backend(ground: Ground) -> None:
    """F103: a backend without windows is not for sessions of ssh that have a display."""
    _guard(ground, "MPLBACKEND", _NOT_WITH_FORWARDING, "not in a session of ssh that has a display")


def guard_qt_platform(ground: Ground) -> None:
    """F121: Qt's own choice is right where there is a display."""
    _guard(ground, "QT_QPA_PLATFORM", _NOT_WITH_FORWARDING, "not in a session of ssh that has a display")


def never_display(ground: Ground) -> None:
    """F11: on macOS launchd owns DISPLAY; a value of one's own defeats it."""
    if ground.local is None or ground.local.system.kernel != "Darwin":
        return
    _guard(ground, "DISPLAY", _UNSET, "not where launchd has set it")


def _guard(ground: Ground, variable: str, guards: _Guards, purpose: str) -> None:
    places = _places(ground, variable)
    own = [path for path in places if path.startswith(f"{ground.home}/")]
    for path in own or (() if places else (f"{ground.home}/{name}" for name in _USUAL)):
        language = language_of(path)
        if language is not None:
            title = f"Guard {variable} in {ground.short(path)}: {purpose}"
            ground.edit(path, title, partial(_guarded, language, variable, guards[language]))
    if not ground.questions.empty:
        return  # what the files hold is not known yet
    for path, numbers in places.items():
        for number in numbers:
            _left_alone(ground, variable, path, number)


def _places(ground: Ground, variable: str) -> Mapping[str, tuple[int, ...]]:
    """File -> numbers of its lines about the variable, as far as the facts name any."""
    lines: Iterable[tuple[str, int]] = ()
    if ground.remote is not None:
        lines = ((one.file, one.line) for one in ground.remote.account.setting(variable))
    elif ground.local is not None and ground.local.desktop is not None:
        own = f"{ground.home}/"
        lines = (
            (own + one.file[2:] if one.file.startswith("~/") else one.file, one.line)
            for one in ground.local.desktop.start_lines
            if one.name == variable
        )
    places: dict[str, tuple[int, ...]] = {}
    for file, number in lines:
        places[file] = (*places.get(file, ()), number)
    return places


def _left_alone(ground: Ground, variable: str, path: str, number: int) -> None:
    """Say of a line that stays as it is why."""
    where = f"{ground.short(path)}:{number}"
    if not path.startswith(f"{ground.home}/"):
        ground.note(f"{where} sets {variable} for everybody here; only an administrator can change it")
        return
    if language_of(path) is None:
        ground.note(f"{where} sets {variable}, and no condition can stand in such a file: delete the line")
        return
    was = ground.answers.files.get(path)
    if not isinstance(was, bytes) or ground.refuses(path):
        return  # it has been named already
    text = was.decode("utf-8", "surrogateescape")
    inside = [*in_blocks(text)]
    if number > len(inside) or inside[number - 1] or number - 1 in _lines(text, variable, language_of(path)):
        return
    ground.note(
        f"{where} is left alone: it does more than to set {variable}, or belongs to something longer; "
        "change it by hand"
    )


def _lines(text: str, variable: str, language: Language | None) -> set[int]:
    if language is None:
        return set()
    ours = [*in_blocks(text)]
    return {
        at for at, line in lines_alone(text, language) if not ours[at] and sets_only(line, variable, language)
    }


def _guarded(language: Language, variable: str, guard: tuple[str, str], text: str) -> str | None:
    chosen = _lines(text, variable, language)
    if not chosen:
        return None
    return "".join(
        wrapped(line, f"guard {variable}", *guard) if at in chosen else line
        for at, line in enumerate(lines_of(text))
    )
