"""The line of `render`: arguments -> tasks -> pictures in a folder, here or on a server; prints nothing."""

from __future__ import annotations

import os
import sys
import time
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from x11fwd.errors import AuthError, ConnectError, ConnectionLost, HostKeyError, UsageError
from x11fwd.render.arguments import from_csv, from_json_lines, tasks
from x11fwd.render.drawing import Hello, draw
from x11fwd.render.folder import Folder
from x11fwd.render.keeping import Keeping
from x11fwd.render.model import Crew, Look, Outcome, Status, Summary
from x11fwd.render.sources import find_source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from x11fwd.target import Target
    from x11fwd.transports.base import Prompter, Transport
    from x11fwd.transports.choose import Preference
    from x11fwd.viewer.items import Item

__all__ = ["Audience", "Gallery", "RenderOptions", "Workshop", "read_arguments", "run_render", "show_in"]

_WAITS = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)  # seconds before each new try; the last one again and again
_MOST_EARLY = 50  # pictures that wait for one before them
_GIVE_UP = 600.0  # seconds without a connection
_PYTHON = '"${SHELL:-/bin/sh}" -lc "command -v python3" </dev/null'  # the one of the person's own environment


@dataclass(frozen=True)
class RenderOptions:
    """What the user asked for.

    Attributes:
        function: `MODULE:FUNCTION` or `FILE.py:FUNCTION`.
        folder: of the pictures.
        name: pattern of their names.
        python: the interpreter; None for the one of the person's environment.
    """

    function: str
    folder: Path
    name: str = "{index:04d}"
    look: Look = field(default_factory=Look)
    workers: int | None = None
    limit: float | None = None
    force: bool = False
    python: str | None = None


class Audience(Protocol):
    """Whoever is told how it goes."""

    def started(self, hello: Hello, host: str) -> None: ...

    def ended(self, outcome: Outcome, done: int, of: int) -> None: ...

    def waiting(self, text: str) -> None: ...


class Gallery(Protocol):
    """The part of a viewer that takes pictures."""

    def put(self, item: Item) -> None: ...


@dataclass(frozen=True)
class Workshop:
    """The server that draws, and how it is reached (again)."""

    target: Target
    connect: Callable[[], Transport]
    sleep: Callable[[float], None] = time.sleep

    @classmethod
    def at(cls, target: Target, prompter: Prompter, choice: Preference) -> Workshop:
        from x11fwd.transports.choose import connect

        return cls(target, lambda: connect(target, prompter=prompter, choice=choice))


def read_arguments(path: str, source: Iterable[str] | None = None) -> list[object]:
    """Argument sets of a file: CSV by its ending, else JSON lines.

    Args:
        path: `-` for `source`.

    Raises:
        UsageError: it cannot be read, or holds nothing, or something else.
    """
    try:
        if path == "-":
            found: list[object] = list(from_json_lines(source or (), "standard input"))
        else:
            with Path(path).open(encoding="utf-8-sig", newline="") as file:
                found = list((from_csv if path.lower().endswith(".csv") else from_json_lines)(file, path))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {os.strerror(error.errno or 0)}") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path} is not UTF-8 text") from None
    if not found:
        raise UsageError(f"{'standard input' if path == '-' else path} holds no argument sets")
    return found


def local_python(environ: Mapping[str, str]) -> str:
    """The Python that a script of the user's would get: the active environment's, or ours if it can draw."""
    import importlib.util

    if environ.get("VIRTUAL_ENV") or environ.get("CONDA_PREFIX"):
        return "python3"
    return sys.executable if importlib.util.find_spec("matplotlib") else "python3"


def run_render(
    arguments: list[object],
    options: RenderOptions,
    audience: Audience,
    workshop: Workshop | None = None,
    gallery: Gallery | None = None,
) -> Summary:
    """Draw what is missing in the folder.

    Args:
        workshop: the server that draws; None for this machine.
        gallery: gets every picture as it is finished.

    Raises:
        UsageError: function, arguments or folder cannot be meant.
        RenderError: nothing can be drawn at all.
        ConnectError: the server cannot be reached (any more).
    """
    from x11fwd.transports.local import LocalTransport

    began = time.monotonic()
    folders = [Path.cwd(), *(Path(one) for one in os.environ.get("PYTHONPATH", "").split(os.pathsep) if one)]
    source = find_source(options.function, folders, travels=workshop is not None)
    todo = tasks(arguments, options.name, source.digest, options.look)
    with Folder(options.folder) as folder:
        order = _Order()

        def told(outcome: Outcome, done: int, of: int) -> None:
            if gallery is not None:
                for one in order.after(outcome):
                    show_in(gallery, one, options.look)
            audience.ended(outcome, done, of)

        keeping = Keeping(folder, todo, told, force=options.force)

        def work(transport: Transport, python: str, host: str) -> None:
            crew = Crew(options.workers, "auto", options.limit, python)
            answers = draw(
                transport,
                source,
                options.look,
                crew,
                keeping.missing,
                cwd="." if workshop is not None else "",
                hello=lambda hello: audience.started(hello, host),
            )
            with closing(answers):
                for answer in answers:
                    keeping.take(answer)

        if keeping.missing and workshop is None:
            work(LocalTransport(), options.python or local_python(os.environ), "")
        elif workshop is not None:
            _work_there(workshop, options.python, keeping, audience, work)
    return Summary(keeping.outcomes(), time.monotonic() - began)


class _Order:
    """Pictures in the order of their arguments, unless one of them takes much longer than the others."""

    def __init__(self) -> None:
        self._next = 0
        self._early: dict[int, Outcome] = {}

    def after(self, outcome: Outcome) -> Iterator[Outcome]:
        """What may be shown now that this one has ended."""
        if outcome.index < self._next:  # others did not wait for it
            yield outcome
            return
        self._early[outcome.index] = outcome
        waiting = [one.index for one in self._early.values() if one.status is Status.DRAWN]
        if len(waiting) > _MOST_EARLY:
            self._next = min(waiting)
        while (one := self._early.pop(self._next, None)) is not None:
            self._next += 1
            yield one


def _work_there(
    workshop: Workshop,
    python: str | None,
    keeping: Keeping,
    audience: Audience,
    work: Callable[[Transport, str, str], None],
) -> None:
    """Until nothing is missing, over as many connections as it takes."""
    host = workshop.target.host
    lost: float | None = None
    tries = 0
    while missing := len(keeping.missing):
        try:
            with ExitStack() as stack:
                transport = stack.enter_context(workshop.connect())
                python = python or _python_there(transport)
                work(transport, python, host)
        except ConnectError as error:  # noqa: PERF203  each try is a connection
            # a network that has gone is not reached at once; who was never there is another matter
            never_there = lost is None and not isinstance(error, ConnectionLost)
            if never_there or isinstance(error, AuthError | HostKeyError):
                raise
            left = len(keeping.missing)
            now = time.monotonic()
            if left < missing:
                lost, tries = None, 0
            lost = now if lost is None else lost
            if now - lost > _GIVE_UP:
                raise
            wait = _WAITS[min(tries, len(_WAITS) - 1)]
            audience.waiting(
                f"{host}: {error.message}; {left} figures are missing; trying again in {wait:g} s"
            )
            workshop.sleep(wait)
            tries += 1


def _python_there(transport: Transport) -> str:
    answer = transport.run(("/bin/sh", "-c", _PYTHON), timeout=30.0)
    said = answer.text.strip().splitlines()
    return said[-1] if said and said[-1].startswith("/") else "python3"


def show_in(gallery: Gallery, outcome: Outcome, look: Look) -> None:
    """Put a fresh picture into the viewer; what it cannot show is in the folder all the same."""
    from x11fwd.viewer.items import ItemError, Picture

    if outcome.status is Status.DRAWN:
        with suppress(ItemError):
            gallery.put(Picture(outcome.name, outcome.name, outcome.data, look.format, outcome.arguments))
