"""The truth table's rig: a scene (person, screen, host), and a row that says what breaks it; README.md."""

from __future__ import annotations

import re
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from tests.hosts.truth.diagnosis import Diagnosis, Said
from tests.hosts.truth.session import Session
from tests.hosts.truth.sides import HostSide, PersonSide
from tests.lab.host import Host, banner
from tests.lab.hosts import BootedHost, ChrootHost, Setup
from tests.lab.person import Person
from tests.lab.runs import wait_for
from tests.lab.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import TracebackType

# What a healthy host may seem to have for a moment. A machine with all its processors at work answers as a
# far one does. Of two sshd that look for a display number at once, one may fail at listen() and then refuses
# X11 without a word (channels.c, x11_create_display_inet): hosts of tests side by side share this loopback.
PASSING = {"tk-256-round-trips", "sshd-not-reloaded"}

__all__ = [
    "PASSING",
    "Desk",
    "Diagnosis",
    "Fault",
    "HostSide",
    "PersonSide",
    "Said",
    "Scene",
    "Session",
    "Setup",
    "Stage",
]


@dataclass(frozen=True)
class Desk:
    """What stands in front of the person.

    Attributes:
        size: `WIDTHxHEIGHTxDEPTH`.
        without: extensions turned off, as `("SECURITY",)`.
        options: further arguments for Xvfb, as `("-ac",)` or `("-maxclients", "64")`.
        noreset: real desktops never reset when their last client leaves.
        on: False for no screen at all: no DISPLAY, no cookie.
    """

    size: str = "1280x800x24"
    without: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    noreset: bool = True
    on: bool = True


@dataclass(frozen=True)
class Stage:
    """What a scene is made of; the default is the healthy one that most rows start from.

    Attributes:
        suite: bullseye, bookworm or trixie. x11fwd itself runs on a host from bookworm on.
        variant: bare, plot, shells, qt or tmux.
        setup: see tests.lab.setup.Setup (login_shell, key_prefix, sshd_config, sudo, own_network, …).
        kind: `chroot` (sshd alone, 0.1 s), `booted` (systemd, 1 to 5 s) or `socket` (systemd's ssh.socket).
        desk: the screen.
        shell: the person's login shell on this machine.
        user: who logs in on the host.
        options: lines of the alias `gpu1` in ~/.ssh/config.
    """

    suite: str = "bookworm"
    variant: str = "plot"
    setup: Setup = field(default_factory=lambda: Setup(x11_forwarding=True, x11fwd=True))
    kind: Literal["chroot", "booted", "socket"] = "chroot"
    desk: Desk = Desk()
    shell: str = "/bin/bash"
    user: str = "ana"
    options: str = ""

    def but(self, *, files: Mapping[str, str | bytes] | None = None, **setup: object) -> Stage:
        """This stage with other fields of its Setup."""
        more = {**setup, **({"files": files} if files else {})}
        return replace(self, setup=replace(self.setup, **more))  # type: ignore[arg-type]


class Scene:
    """A person before a screen, and a host that the person calls `gpu1`; a context manager."""

    alias = "gpu1"

    def __init__(self, stage: Stage | None = None) -> None:
        self.stage = stage or Stage()
        self.env: dict[str, str] = {}  # for every program of the person, on top of the usual
        self.there: set[str] = set()  # ids of the faults that have been injected
        self.sessions: dict[str, Session] = {}
        self.keeping = ExitStack()  # what a row starts and the end of the scene has to stop
        with ExitStack() as stack:
            stack.callback(self.keeping.close)
            desk = self.stage.desk
            self.screen = (
                stack.enter_context(
                    Screen(desk.size, noreset=desk.noreset, without=desk.without, options=desk.options)
                )
                if desk.on
                else None
            )
            person = stack.enter_context(Person(shell=self.stage.shell))
            if self.screen:
                person.use_screen(self.screen)
            self.person = PersonSide(person)
            self.host = HostSide(stack.enter_context(self._host()))
            person.alias(self.alias, self.host.lab, user=self.stage.user, lines=self.stage.options)
            self._stack = stack.pop_all()

    def _host(self) -> Host:
        stage = self.stage
        if stage.kind == "chroot":
            return ChrootHost(stage.suite, stage.variant, stage.setup)
        socket = stage.kind == "socket"
        return BootedHost(stage.suite, stage.variant, stage.setup, socket_activated=socket)

    # -- asking doctor

    def doctor(
        self,
        *words: str,
        env: Mapping[str, str] | None = None,
        target: str | None = "gpu1",
        timeout: float = 400,
    ) -> Diagnosis:
        """`x11fwd doctor --json WORDS TARGET` by the person, at the desk; None: this machine alone."""
        argv = self.person.lab.x11fwd("doctor", "--json", *words, *([target] if target else []))
        for _ in range(8):
            seen = Diagnosis.of(self.person.lab.run(argv, env={**self.env, **(env or {})}, timeout=timeout))
            if target != "gpu1" or not (PASSING - self.there).intersection(seen.roots):
                break
        return seen

    def inside(
        self,
        wrap: str = "{doctor}",
        *words: str,
        ssh: Sequence[str] = ("-Y",),
        env: Mapping[str, str] | None = None,
        terminal: bool = False,
        before: str = "",
        limit: float = 240,
    ) -> Diagnosis:
        """Log in by the system's ssh, and there run `x11fwd doctor --json WORDS`; see Session.doctor.

        Args:
            ssh: options of the system's ssh.
            env: of the person's ssh.
            terminal: log in on a terminal, to an interactive shell.
            before: a line of the login shell's language, typed first: `export DISPLAY=:9`.
        """
        with Session(self, ssh, env={**self.env, **(env or {})}, terminal=terminal) as session:
            if before:
                session.type(before)
            return session.doctor(wrap, *words, limit=limit)

    def log_in(
        self,
        name: str,
        *options: str,
        env: Mapping[str, str] | None = None,
        terminal: bool = False,
    ) -> Session:
        """Open a session that lasts until the scene's end, also as `scene.sessions[name]`; default `-Y`."""
        session = Session(self, options or ("-Y",), env={**self.env, **(env or {})}, terminal=terminal)
        self.sessions[name] = self.keeping.enter_context(session)
        return session

    # -- sshd

    def reload_sshd(self, limit: float = 90) -> None:
        """Make sshd read its configuration, and wait until the daemon that has read it listens."""
        host = self.host.lab
        if isinstance(host, BootedHost):
            # a socket's service may not run yet; then its next start reads the files anyway
            host.check(["sh", "-c", "systemctl try-restart ssh.service"])
            wait_for(self._greets, limit=limit, what=f"the banner of {host!r}")
            return
        assert isinstance(host, ChrootHost)
        pid = host.sshd_pid()
        if pid is None:
            host.start_sshd()
            return
        before = self._listening()
        host.check(["kill", "-HUP", str(pid)])
        # SIGHUP makes sshd execute itself again: it removes its pid file, closes its socket and opens another
        # (sshd.c, sighup_restart); with files that it does not accept the process ends
        wait_for(
            lambda: bool(self._listening() - before) or host.run(["kill", "-0", str(pid)]).rc != 0,
            limit=limit,
            what=f"a new listening socket of {host!r}",
        )

    def _greets(self) -> bool:
        return banner(self.host.lab.address, self.host.lab.port).startswith("SSH-")

    def _listening(self) -> set[str]:
        """Inodes of the sockets that listen on the host's port (proc(5), net/tcp: state 0A)."""
        first = self.host.lab.first_process()
        port = f":{self.host.lab.port:04X}"
        found = set()
        for name in ("tcp", "tcp6"):
            with open(f"/proc/{first}/net/{name}", encoding="ascii") as table:
                rows = [line.split() for line in table][1:]
            found |= {row[9] for row in rows if row[1].endswith(port) and row[3] == "0A"}
        return found

    def sshd_config(self, lines: str, *, first: bool = True) -> None:
        """Add lines to the host's main sshd_config (at its top, where they win) and reload."""
        path, text = "/etc/ssh/sshd_config", lines.rstrip("\n") + "\n"
        if first:
            self.host.prepend(path, text)
        else:
            self.host.append(path, text)
        self.reload_sshd()

    # -- the end

    def restore(self) -> None:
        """The cure of a row that names none: every file as it was, and sshd told."""
        touched = self.host.memory.restore()
        self.person.memory.restore()
        self.person.lab.unveil()
        self.env.clear()
        etc_ssh = self.host.path("/etc/ssh")
        if any(path == etc_ssh or etc_ssh in path.parents for path in touched):
            self.reload_sshd()

    def close(self) -> None:
        """Take everything down."""
        self._stack.close()

    def __enter__(self) -> Scene:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@dataclass(frozen=True)
class Fault:
    """One row of the truth table.

    Attributes:
        id: the finding's id, a slug of the catalogue.
        code: its number there, "F49".
        inject: breaks the scene, for real.
        cure: the real inverse; None puts back every file that the helpers of `scene.host` and `scene.person`
            have changed, clears `scene.env` and reloads sshd.
        kind: `cause`: doctor names it as the cause, and nothing else stands unexplained.
            `symptom`: it fails and is folded under `under`, which is the cause.
            `note`: the finding is there and says `says`, and there is no cause: harmless.
        case: tells several rows of one id apart.
        look: how doctor is asked; None: at the desk with target (`desk`) or in the session (`inside`).
        cured: how it is asked after the cure; None: as before.
        mode: see `look`.
        stage: where it plays.
        under: the cause of a symptom.
        status: what the finding has to be, `fail` or `warn`; empty: either.
        says: a regular expression that its title, evidence or cure has to match.
        also: other ids that may fail or warn beside it, unexplained.
        pairs: it may be combined with a fault of another link (only `desk`, only the default stage).
        pending: why it is known to fail today; the row must then fail (strict): nobody forgets it.
    """

    id: str
    code: str
    inject: Callable[[Scene], None]
    cure: Callable[[Scene], None] | None = None
    kind: Literal["cause", "symptom", "note"] = "cause"
    case: str = ""
    look: Callable[[Scene], Diagnosis] | None = None
    cured: Callable[[Scene], Diagnosis] | None = None
    mode: Literal["desk", "inside"] = "desk"
    stage: Stage = Stage()
    under: str = ""
    status: str = ""
    says: str = ""
    also: tuple[str, ...] = ()
    pairs: bool = False
    pending: str = ""

    @property
    def name(self) -> str:
        """The row's name: `F49-sshd-x11forwarding-no`, with the case where there is one."""
        return "-".join(part for part in (self.code, self.id, self.case) if part)

    def ask(self, scene: Scene) -> Diagnosis:
        """Doctor's answer while the fault is there."""
        scene.there.add(self.id)
        if self.look:
            return self.look(scene)
        return scene.doctor() if self.mode == "desk" else scene.inside()

    def ask_cured(self, scene: Scene) -> Diagnosis:
        """Doctor's answer after the cure."""
        return self.cured(scene) if self.cured else self.ask(scene)

    def heal(self, scene: Scene) -> None:
        """Take the fault away."""
        scene.there.discard(self.id)
        if self.cure:
            self.cure(scene)
        else:
            scene.restore()

    def judge(self, seen: Diagnosis) -> None:
        """Whether doctor has named this fault, and nothing but it; an AssertionError says what it said."""
        one = seen.finding(self.id)
        if self.kind == "note":
            assert one.status in {"pass", "skip", "unknown"}, f"{one}\n{seen}"
            assert self.says, "a note has to say something"
            seen.assert_clean()
        else:
            root = self.under if self.kind == "symptom" else self.id
            assert one.status in ({self.status} if self.status else {"fail", "warn"}), f"{one}\n{seen}"
            assert seen.cause == root, f"the cause is {seen.cause}, not {root}:\n{seen}"
            assert one.cause == (root if self.kind == "symptom" else None), f"{one}\n{seen}"
            stray = [name for name in seen.roots if name != root and name not in self.also]
            assert not stray, f"not folded under {root}: {', '.join(stray)}\n{seen}"
        assert self.is_said(seen), f"{self.says!r} is not in {one.text!r}"

    def is_said(self, seen: Diagnosis) -> bool:
        """Whether the finding has the words of `says`."""
        return re.search(self.says, seen.finding(self.id).text, re.IGNORECASE) is not None
