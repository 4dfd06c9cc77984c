"""What is to be drawn and what became of it, as plain values; everything of render imports it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["FORMATS", "Crew", "Format", "Look", "Outcome", "Source", "Start", "Status", "Summary", "Task"]

Format = Literal["png", "svg", "pdf"]
FORMATS: tuple[Format, ...] = ("png", "svg", "pdf")
Start = Literal["auto", "fork", "spawn"]


@dataclass(frozen=True)
class Task:
    """One figure to draw.

    Attributes:
        index: of the argument set, from 0.
        name: of the file, with its ending.
        body: the arguments as they travel.
        pickled: `body` is a pickle and not JSON.
        key: of arguments, function and look together; the same key is the same picture.
        shown: the arguments for a person, cut off at 200 characters.
    """

    index: int
    name: str
    body: bytes = field(repr=False)
    pickled: bool
    key: str
    shown: str


@dataclass(frozen=True)
class Source:
    """The function and where it is.

    Attributes:
        module, function: as Python imports them.
        main: path of the script it is in, where that is the program itself.
        path: folders that come first when modules are looked for.
        files: the modules' texts, where they must travel.
        digest: of the function and what it uses; another one means that pictures are out of date.
    """

    module: str
    function: str
    main: str = ""
    path: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict, repr=False)
    digest: str = ""


@dataclass(frozen=True)
class Look:
    """How pictures are written. `dpi` None is what matplotlib's own settings say."""

    format: Format = "png"
    dpi: float | None = None


@dataclass(frozen=True)
class Crew:
    """Who draws.

    Attributes:
        workers: None for cores minus one, at least one.
        start: fork, spawn, or what is safe on that system.
        limit: seconds a figure may take, None for any time.
        python: the interpreter.
    """

    workers: int | None = None
    start: Start = "auto"
    limit: float | None = None
    python: str = "python3"


class Status(Enum):
    """What became of a figure."""

    DRAWN = "drawn"
    SKIPPED = "skipped"
    FAILED = "failed"


@dataclass(frozen=True)
class Outcome:
    """One figure's end.

    Attributes:
        path: the file; None where there is none.
        problem: the last line of the traceback, or what became of the worker.
        where: file and line of the user's code that failed.
        arguments: for a person, cut off.
        seconds: that a worker spent on it.
        data: the file itself, while it is fresh; b"" of skipped ones.
    """

    index: int
    name: str
    status: Status
    path: Path | None = None
    problem: str = ""
    where: str = ""
    arguments: str = ""
    seconds: float = 0.0
    data: bytes = field(default=b"", repr=False)


@dataclass(frozen=True)
class Summary:
    """How it all ended; `outcomes` in the order of the arguments, without the files' contents."""

    outcomes: tuple[Outcome, ...] = ()
    seconds: float = 0.0

    def count(self, status: Status) -> int:
        return sum(one.status is status for one in self.outcomes)

    @property
    def failed(self) -> tuple[Outcome, ...]:
        return tuple(one for one in self.outcomes if one.status is Status.FAILED)

    @property
    def ok(self) -> bool:
        return not self.failed
