"""render() for programs: a function and argument sets, drawn in parallel on this machine."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from x11fwd.errors import UsageError
from x11fwd.render.model import FORMATS, Crew, Look, Outcome, Source, Summary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["render"]


def render(
    function: Callable[..., object],
    arguments: Iterable[object],
    *,
    folder: str | os.PathLike[str] = "figures",
    workers: int | None = None,
    name: str = "{index:04d}",
    format: Literal["png", "svg", "pdf"] = "png",  # noqa: A002  as matplotlib calls it
    dpi: float | None = None,
    force: bool = False,
    limit: float | None = None,
    start: Literal["auto", "fork", "spawn"] = "auto",
    progress: Callable[[Outcome, int, int], None] = lambda _outcome, _done, _all: None,
) -> Summary:
    """Draw one figure for each argument set. A dict becomes keywords, a list or tuple positional arguments.

    The function may take `figure` (or `fig`), cleared after its last use, or `ax`, axes on it; it may
    return a Figure or Axes; or it draws with pyplot. It is imported by every worker, so it stands at the top
    level of a module or script, and the script calls render() below `if __name__ == "__main__":`.

    Args:
        folder: of the pictures; those already there, from equal arguments and function, are skipped.
        workers: processes; None for cores minus one, at least one.
        name: of the files without ending; `{index}` and the names of arguments are filled in.
        dpi: None for matplotlib's own setting.
        force: draw also what is there.
        limit: seconds a figure may take.
        progress: called with each outcome, how many are done and how many there are.

    Raises:
        UsageError: function or arguments cannot reach a worker; the folder cannot be written to.
        RenderError: nothing can be drawn at all.
    """
    from x11fwd.render.arguments import tasks
    from x11fwd.render.drawing import draw
    from x11fwd.render.folder import Folder
    from x11fwd.render.keeping import Keeping
    from x11fwd.transports.local import LocalTransport

    if os.environ.get("X11FWD_RENDER_WORKER"):
        raise UsageError(
            "render() was called while a worker loads the script",
            hint='put the call below `if __name__ == "__main__":`, every worker loads the script, too',
        )
    if format not in FORMATS:
        raise UsageError(f"{format!r} is no format: png, svg or pdf")
    source, look = _source(function), Look(format, dpi)
    crew = Crew(workers, start, limit, sys.executable)
    began = time.monotonic()
    todo = tasks(list(arguments), name, source.digest, look)
    with Folder(Path(folder)) as place:
        keeping = Keeping(place, todo, progress, force=force)
        if keeping.missing:
            answers = draw(LocalTransport(), source, look, crew, keeping.missing)
            try:
                for answer in answers:
                    keeping.take(answer)
            finally:
                answers.close()  # ends the workers now
    return Summary(keeping.outcomes(), time.monotonic() - began)


def _source(function: Callable[..., object]) -> Source:
    from x11fwd.render.sources import source_digest

    name = getattr(function, "__qualname__", "")
    module = getattr(function, "__module__", "")
    if not name or not module or "<" in name:
        raise UsageError(
            f"{name or function!r} cannot be imported by a worker",
            hint="write it with `def` at the top level of a module",
        )
    file = getattr(sys.modules.get(module), "__file__", None)
    script = module in {"__main__", "__mp_main__"}  # the second in a worker of multiprocessing's
    if script and (file is None or not Path(file).is_file()):
        raise UsageError(
            f"{name} was typed into a session, where no worker can import it", hint="put it into a module"
        )
    path = tuple(str(Path(one).absolute()) for one in sys.path)
    digest = source_digest(Path(file), name) if file and Path(file).suffix == ".py" else f"{module}.{name}"
    main = str(Path(file).absolute()) if file and script else ""
    return Source(module, name, main=main, path=path, digest=digest)
