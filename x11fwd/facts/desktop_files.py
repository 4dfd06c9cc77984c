"""Lines of start files that set DISPLAY, and who can read an authority file; for facts/desktop alone."""

from __future__ import annotations

import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from x11fwd.facts.unknown import Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["StartLine", "find_start_lines", "is_exposed"]

_SIZE = 256 * 1024  # bytes; start files are small, and whatever is larger is none
_HOME = (
    *(".bashrc", ".bash_profile", ".bash_login", ".profile"),
    *(".zshenv", ".zprofile", ".zshrc", ".zlogin", ".kshrc"),
    *(".xinitrc", ".xsession", ".xsessionrc", ".xprofile", ".xserverrc"),
    *(".cshrc", ".tcshrc", ".login", ".config/fish/config.fish", ".pam_environment"),
    ".config/environment.d",
)
_SYSTEM = (
    *("etc/environment", "etc/profile", "etc/bash.bashrc", "etc/bashrc", "etc/zprofile", "etc/zshrc"),
    *("etc/zsh/zshenv", "etc/zsh/zprofile", "etc/zsh/zshrc", "etc/csh.login", "etc/csh.cshrc"),
    *("etc/profile.d", "etc/launchd.conf"),
)
# NAME=value, export NAME=value; setenv NAME value; set -gx NAME value; launchctl setenv NAME value
_SETS = re.compile(
    r"(?:^|[;&|\s])(?:(?P<name>DISPLAY|XAUTHORITY)=|(?:setenv|set\s+-\w*x\w*)\s+(?P<other>DISPLAY|XAUTHORITY)\s+)"
    r"""(?P<value>"[^"]*"|'[^']*'|\$\([^)]*\)\S*|[^\s;&|#]*)"""
)
# `xhost +` lets everybody in; `xhost +local:` and `xhost +si:localuser:NAME` do not
_OPENS = re.compile(r"(?:^|[;&|\s])xhost\s+\+(?=\s*(?:$|[;&|#>]))")


@dataclass(frozen=True)
class StartLine:
    """One line that sets a variable: `str(line)` is `/home/ana/.bashrc:12: DISPLAY=:0`.

    A line that says `xhost +` has the name `xhost` and the value `+`.
    """

    file: str
    line: int
    name: str
    value: str

    def __str__(self) -> str:
        sign = " " if self.name == "xhost" else "="
        return f"{self.file}:{self.line}: {self.name}{sign}{self.value}"


def find_start_lines(home: str | None, root: Path) -> tuple[StartLine, ...]:
    """Every such line of the usual start files, the user's own first."""
    found: list[StartLine] = []
    for path, name in _files(home, root):
        try:
            status = path.stat()
            if not stat.S_ISREG(status.st_mode) or status.st_size > _SIZE:
                continue
            text = path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue  # a file that we cannot read is none that our shell reads
        found += _lines(text, name)
    return tuple(found)


def _files(home: str | None, root: Path) -> Iterator[tuple[Path, str]]:
    """The files, and what a person calls them."""
    places = [(Path(home) / name, Path(home) / name) for name in _HOME] if home else []
    places += [(root / name, Path("/") / name) for name in _SYSTEM]
    for path, name in places:
        if path.is_dir():
            yield from ((one, str(name / one.name)) for one in sorted(path.iterdir()))
        else:
            yield path, str(name)


def _lines(text: str, file: str) -> Iterator[StartLine]:
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("#"):
            continue
        if "xhost" in line and _OPENS.search(line):
            yield StartLine(file, number, "xhost", "+")
        if "DISPLAY" not in line and "XAUTHORITY" not in line:
            continue
        for match in _SETS.finditer(line):
            value = match["value"].strip("\"'")
            yield StartLine(file, number, match["name"] or match["other"], value)


def is_exposed(path: str | None) -> bool | Unknown:
    """Whether other accounts can read a file: its own mode, and a way to it through every folder above."""
    if path is None:
        return Unknown("there is no authority file")
    try:
        real = Path(path).resolve()
        if not real.stat().st_mode & stat.S_IROTH:
            return False
        return all(parent.stat().st_mode & stat.S_IXOTH for parent in real.parents)
    except FileNotFoundError:
        return False
    except (OSError, RuntimeError) as error:
        return Unknown(str(error))
