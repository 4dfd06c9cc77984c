"""This machine's ssh for one target: its settings, where they stand, an open master; for facts and checks.

client_ask gathers it, client_config reads the files that ssh has read, client_log what ssh says at -v.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from x11fwd.facts.model import Unknown
    from x11fwd.target import SshConfig

__all__ = ["ClientFacts", "ConfigLine", "MasterFacts"]


@dataclass(frozen=True)
class ConfigLine:
    """One setting in a file of ssh's, or on the command line.

    Attributes:
        file: as ssh names it; empty for our own command line.
        line: 1-based; 0 for the command line.
        keyword: in lower case.
        value: its words, joined by blanks.
        block: the `Host …` or `Match …` line above it, empty where it is for every host.
        applies: ssh found the block to be for this target.
    """

    file: str
    line: int
    keyword: str
    value: str
    block: str = ""
    applies: bool = True

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.file else "the command line"

    @property
    def is_yes(self) -> bool:
        return self.value.lower() in {"yes", "true"}


@dataclass(frozen=True)
class MasterFacts:
    """A connection that the user's own ssh would reuse (ssh_config(5), ControlMaster).

    Attributes:
        control: its socket.
        pid: as `ssh -O check` says.
        display: DISPLAY of the master itself, None where it has none.
        remote_display: DISPLAY of a new session that asks for X11, None where it gets none; Unknown where no
            session came about.
        refusal: ssh's words where the server refused one more session.
    """

    control: str
    pid: int | None = None
    display: str | Unknown | None = None
    remote_display: str | Unknown | None = None
    refusal: str = ""


@dataclass(frozen=True)
class ClientFacts:
    """What the user's own `ssh` would do for a target; x11fwd itself asks for X11 whatever this says.

    Attributes:
        config: the answer of `ssh -G`.
        lines: every line about X11 that ssh has read, in its order: of those that apply the first counts.
            Unknown where ssh did not say which files it reads.
        every_host: `ssh -G` asks for X11 for a name that nobody has heard of, too.
        xauth_there: the program that XAuthLocation names can be run.
        master: None where no connection is open.
        untrusted: why `xauth generate` made no untrusted cookie, in its own words; None where it made one,
            and where ssh would not ask for one.
    """

    config: SshConfig
    lines: tuple[ConfigLine, ...] | Unknown = ()
    every_host: bool | Unknown = False
    xauth_there: bool = True
    master: MasterFacts | None = None
    untrusted: str | Unknown | None = None

    @property
    def forwards(self) -> bool:
        """Plain `ssh` asks for X11 forwarding (`-X` is not needed)."""
        return self.config.is_yes("forwardx11")

    @property
    def trusted(self) -> bool:
        """`ssh -X` gives full access to the display, as `-Y` does."""
        return self.config.is_yes("forwardx11trusted")

    @property
    def timeout(self) -> int:
        """Seconds after login for which untrusted programs may connect; 0 for no such limit."""
        found = self.config.number("forwardx11timeout")
        return 1200 if found is None else found  # readconf.c, fill_default_options

    def decides(self, keyword: str) -> ConfigLine | None:
        """The line that ssh obeys, None where there is none or nobody knows."""
        return next((line for line in self.about(keyword) if line.applies), None)

    def about(self, keyword: str) -> tuple[ConfigLine, ...]:
        """Every line with a keyword, in the order in which ssh reads them."""
        if not isinstance(self.lines, tuple):
            return ()
        return tuple(line for line in self.lines if line.keyword == keyword)
