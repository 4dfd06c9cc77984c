"""`run`: a script of this machine on that one, its windows or pictures, its streams and its end here.

project -> connect -> what is missing there -> start -> frames until the end -> files back

Imported by the cli. Prints nothing.
"""

from __future__ import annotations

import hashlib
import signal
import threading
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from x11fwd.errors import ConnectError, ConnectionLost, DisplayError, UsageError
from x11fwd.inline.texts import inline_modules
from x11fwd.pipeline.run_display import RunDisplay
from x11fwd.pipeline.run_fetch import Fetched, Fetcher, check_patterns
from x11fwd.pipeline.run_session import Drawn, RunSession, drawn, exit_status
from x11fwd.pipeline.run_way import choose_way, configured_way
from x11fwd.project.files import find_project, list_files
from x11fwd.project.manifest import read_manifest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from x11fwd.project.files import Project
    from x11fwd.project.manifest import Manifest
    from x11fwd.target import Target
    from x11fwd.transports.base import Prompter, Transport
    from x11fwd.transports.choose import Preference

__all__ = ["LARGE", "Ends", "RunOptions", "RunResult", "Terminal", "run_script"]

LARGE = 100 << 20  # bytes of a project above which the person is asked
# what programs say that found no screen to put a window on
_WINDOWLESS = (
    b"non-interactive, and thus cannot be shown",
    b"is currently using agg, which is a non-GUI backend",
    b"no display name and no $DISPLAY environment variable",
    b"could not connect to display",
    b"annot load backend",
    b"couldn't connect to display",
)


@dataclass(frozen=True)
class RunOptions:
    """What the user asked for besides the target.

    Attributes:
        script, arguments: as typed.
        python: the interpreter over there, None for the login shell's.
        sync: the folder to send.
        inline: pictures instead of windows.
        pixels: no SVG among them, which a terminal cannot show.
        numbers: what one can zoom into comes with pictures.
        fetch: patterns of files to bring back.
        keep: the folder over there stays.
        yes: send a large project without asking.
        via: the way of windows, `native`, `bridge` or `auto`.
        here: the folder that the user is in.
    """

    script: Path
    arguments: tuple[str, ...] = ()
    python: str | None = None
    sync: Path | None = None
    inline: bool = False
    pixels: bool = False
    numbers: bool = True
    fetch: tuple[str, ...] = ()
    keep: bool = False
    yes: bool = False
    transport: Preference = "auto"
    via: str = "auto"
    here: Path = Path()


@dataclass(frozen=True)
class Terminal:
    """What the script finds at its standard input and output instead of pipes.

    Attributes:
        kind: the value of TERM.
        errors: standard error goes there, too.
    """

    rows: int
    columns: int
    kind: str
    errors: bool

    def settings(self) -> dict[str, str | int]:
        """For the far half."""
        return {"rows": self.rows, "columns": self.columns, "kind": self.kind, "errors": self.errors}


@dataclass(frozen=True)
class RunResult:
    """How it ended.

    Attributes:
        exit_status: the script's; 128 + N after signal N.
        host: the far machine's own name.
        fetched: files that came back, or were left as they are here.
        folder: of the run over there, where it stays.
        sent, files: bytes and files of the project that had to be sent, before compression.
        pictures: how many different figures were shown.
        notes: what a person should know, one sentence each.
        killed: somebody told this process to end by SIGTERM, so nobody looks at what is left.
    """

    exit_status: int
    host: str = ""
    fetched: tuple[Fetched, ...] = ()
    folder: str = ""
    sent: int = 0
    files: int = 0
    pictures: int = 0
    notes: tuple[str, ...] = ()
    killed: bool = False


class Ends(Protocol):
    """This side's ends of the script's streams, and the person."""

    def output(self, data: bytes) -> None: ...

    def errors(self, data: bytes) -> None: ...

    def read_input(self, limit: int) -> bytes: ...

    def picture(self, one: Drawn) -> None: ...

    def terminal(self) -> Terminal | None:
        """The one that the script shall have; None for pipes."""
        ...

    def raw(
        self, resized: Callable[[int, int], None], leave: Callable[[], None]
    ) -> AbstractContextManager[object]:
        """While it lasts every key is the script's; entered only with a terminal.

        Args:
            resized: told rows and columns of a window that changed.
            leave: the person wants to go whatever the script does.
        """
        ...

    def may_send(self, size: int, largest: tuple[str, ...]) -> bool:
        """Whether a project of so many bytes may be sent. Raises UsageError where nobody can be asked."""
        ...

    def may_bridge(self) -> bool: ...


def run_script(
    target: Target,
    options: RunOptions,
    ends: Ends,
    prompter: Prompter,
    *,
    environ: Mapping[str, str],
    progress: Callable[[str], None] = lambda _text: None,
) -> RunResult:
    """Run it and wait for its end.

    Raises:
        UsageError: it cannot be meant, or the project is too large.
        ConnectError: no connection, or it was lost; the script over there ends then.
        ProbeError: there is no Python of use.
        ChangeError: the far side could not hold the project.
    """
    check_patterns(options.fetch)
    if options.python is not None and (not options.python or options.python.startswith("-")):
        raise UsageError(f"{options.python!r} is no path of a Python interpreter")
    project = find_project(options.script, options.sync, here=options.here, home=Path.home())
    run = _Run(
        target,
        options,
        project=project,
        ends=ends,
        prompter=prompter,
        environ=environ,
        progress=progress,
    )
    return run.all()


class _Run:
    def __init__(
        self,
        target: Target,
        options: RunOptions,
        *,
        project: Project,
        ends: Ends,
        prompter: Prompter,
        environ: Mapping[str, str],
        progress: Callable[[str], None],
    ) -> None:
        self._target, self._options, self._project = target, options, project
        self._ends, self._prompter = ends, prompter
        self._environ, self._progress = environ, progress
        self._notes: list[str] = []
        self._said = b""
        self._windowless = self._plotless = False
        self._heard: list[int] = []
        self._via = "" if options.inline else configured_way(target.host, options.via, environ)
        self._display = RunDisplay(environ) if not options.inline else None

    def all(self) -> RunResult:
        from x11fwd.transports.choose import connect

        options = self._options
        self._progress("looking at the project")
        manifest = self._manifest()
        native = self._display is not None and self._via != "bridge"
        offer = self._display.offer if self._display is not None and native else None
        self._progress(f"logging in to {self._target.host}")
        with ExitStack() as stack:
            transport = stack.enter_context(
                connect(self._target, prompter=self._prompter, choice=options.transport, x11=offer)
            )
            session = stack.enter_context(RunSession(transport, python=options.python or "", x11=native))
            return self._with(transport, session, manifest, stack)

    def _manifest(self) -> Manifest:
        project = self._project
        manifest = read_manifest(project.root, list_files(project))
        if manifest.left_off:
            names = ", ".join(manifest.left_off[:3]) + (", …" if len(manifest.left_off) > 3 else "")
            self._notes.append(f"not sent, as they are links out of the project: {names}")
        if manifest.size > LARGE and not self._options.yes:
            largest = sorted(manifest.entries, key=lambda one: -one.size)[:3]
            words = tuple(f"{one.path} ({one.size / 1e6:.0f} MB)" for one in largest)
            if not self._ends.may_send(manifest.size, words):
                raise UsageError(
                    f"nothing was sent: {project.root} is {manifest.size / 1e6:.0f} MB",
                    hint="a line in .gitignore leaves files off, `--sync DIR` names a smaller folder",
                )
        return manifest

    def _with(
        self, transport: Transport, session: RunSession, manifest: Manifest, stack: ExitStack
    ) -> RunResult:
        options, project = self._options, self._project
        name = f"{project.root.name}-{hashlib.sha256(str(project.root).encode()).hexdigest()[:12]}"
        self._progress(f"starting Python on {self._target.host}")
        session.offer(manifest, name, keep=options.keep)
        hello = session.hello()
        needed = session.needed()
        size = sum(manifest.contents()[one].size for one in needed if one in manifest.contents())
        if needed:
            files = "1 file" if len(needed) == 1 else f"{len(needed)} files"
            self._progress(f"sending {files}, {size / 1e6:.1f} MB")
            session.send(manifest.chunks(needed), lambda _count: None)
        environment = self._environment(transport, stack)
        terminal = self._ends.terminal()
        script = self._project.script
        begun = time.time()
        session.start(
            {
                "words": [_relative(script, project.folder), *options.arguments],
                "folder": "" if project.folder == Path() else project.folder.as_posix(),
                "environment": environment,
                "modules": inline_modules(numbers=options.numbers and not options.pixels)
                if options.inline
                else {},
                "terminal": terminal.settings() if terminal else None,
                "fetch": list(options.fetch),
            }
        )
        session.feed(self._ends.read_input)
        fetcher = Fetcher(project.root, project.folder, options.fetch, begun)
        stack.callback(fetcher.close)
        status, figures = self._follow(session, fetcher, terminal)
        self._notes += [
            f"nothing to fetch for {pattern}: the script made or changed no such file"
            for pattern in fetcher.unmatched()
        ]
        if self._plotless:
            executable = hello.get("executable")
            self._notes.append(
                f"{executable} on {self._target.host} has no matplotlib: install it there, "
                "or name another Python with `--python PATH`"
            )
        if self._windowless and not options.inline:
            why = self._display.problem if self._display else ""
            self._notes.append(f"no window opened{why}; `--inline` shows pictures instead")
        return RunResult(
            status,
            host=str(hello.get("host", "")),
            fetched=tuple(fetcher.fetched),
            folder=f"~/.cache/x11fwd/projects/{name}" if options.keep else "",
            sent=size,
            files=len(needed),
            pictures=figures,
            notes=tuple(self._notes),
            killed=signal.SIGTERM in self._heard,
        )

    def _environment(self, transport: Transport, stack: ExitStack) -> dict[str, str]:
        """What the script gets besides its own: a display, where ssh's own forwarding gives none."""
        if self._display is None:
            return {"X11FWD_INLINE_KIND": "png"} if self._options.pixels else {}
        if self._via == "native":
            return {}
        local = self._display.facts()
        if local.display_used is None:
            return {}
        chosen = self._via == "auto"
        if chosen and choose_way(transport, self._ends.may_bridge, self._environ) != "bridge":
            if transport.x11.granted is False:
                self._display.problem = f": sshd on {self._target.host} refused to forward X11"
            return {}
        from x11fwd.pipeline.bridged import needs_trust, open_bridge

        self._progress(f"starting the bridge on {self._target.host}")
        try:
            bridge = open_bridge(transport, local, self._environ, trusted=needs_trust(local))
        except (DisplayError, ConnectError):
            if chosen and transport.x11.granted:
                return {}  # slower, and a way
            raise
        stack.callback(bridge.close)
        return {"DISPLAY": bridge.display, "XAUTHORITY": bridge.authority}

    def _follow(self, session: RunSession, fetcher: Fetcher, terminal: Terminal | None) -> tuple[int, int]:
        """Everything that comes until the end: the exit status and the number of figures."""
        status: int | None = None
        figures: set[str] = set()
        self._progress("")
        with ExitStack() as stack:
            stack.enter_context(_interrupts(session.interrupt, self._heard))
            if terminal is not None:
                stack.enter_context(self._ends.raw(session.resize, session.end))
            for kind, data in session.frames():
                if kind == b"O":
                    if terminal is not None:
                        self._listen(data)
                    self._ends.output(data)
                elif kind == b"E":
                    self._listen(data)
                    self._ends.errors(data)
                elif kind == b"P":
                    one = drawn(data)
                    if one is not None:
                        figures.add(one.id)
                        self._ends.picture(one)
                elif kind == b"G":
                    fetcher.begin(data)
                elif kind == b"D":
                    fetcher.more(data)
                elif kind == b"X":
                    status = exit_status(data)
        if status is None:
            raise ConnectionLost(f"{self._target.host} did not say how the script ended")
        return status, len(figures)

    def _listen(self, data: bytes) -> None:
        self._said = (self._said + data)[-4096:]
        self._windowless = self._windowless or any(words in self._said for words in _WINDOWLESS)
        self._plotless = self._plotless or b"No module named 'matplotlib'" in self._said


def _relative(script: Path, folder: Path) -> str:
    """The script as seen from the folder that it starts in."""
    import os.path

    path = os.path.relpath(script, folder).replace("\\", "/")
    return f"./{path}" if path.startswith("-") else path  # else Python takes it for an option


@contextmanager
def _interrupts(interrupt: Callable[[], None], heard: list[int]) -> Iterator[None]:
    """Ctrl-C and `kill` go to the far side; the fourth time they end this one.

    Args:
        heard: gets the numbers of those that came.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def handle(number: int, _frame: object) -> None:
        heard.append(number)
        if len(heard) > 3:
            raise KeyboardInterrupt
        interrupt()

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)
