"""Where a value comes from: a line of a file, or a variable; imported by the models of facts."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["SettingSource"]


@dataclass(frozen=True)
class SettingSource:
    """Where a value comes from: a file and line (1-based), or an environment variable.

    `str(source)` is `/etc/matplotlibrc:41` or `$MPLBACKEND`.
    """

    file: str | None = None
    line: int | None = None
    variable: str | None = None
    text: str = ""  # the line as it stands there

    def __str__(self) -> str:
        if self.variable:
            return f"${self.variable}"
        return f"{self.file}:{self.line}" if self.line else str(self.file)
