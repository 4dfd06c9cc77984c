"""`demo`: the whole line on this machine alone, from a server that refuses X11 to a plot; for the cli.

what is missing -> sandbox (sshd, screen) -> doctor -> setup -> ssh -> verify -> picture

Prints nothing and leaves nothing behind.
"""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from x11fwd.errors import ChangeError
from x11fwd.facts.model import Privilege, PrivilegeKind
from x11fwd.pipeline.demo_needs import install, look_around
from x11fwd.pipeline.demo_sandbox import ALIAS, Sandbox
from x11fwd.pipeline.display import ensure_display
from x11fwd.pipeline.doctor import DoctorOptions, real_means, run_doctor
from x11fwd.pipeline.setup import SetupOptions, SetupStatus, Silent, run_setup
from x11fwd.pipeline.ssh.routes import NATIVE, Route
from x11fwd.pipeline.verify import RealVerifyMeans, VerifyOptions, run_verify
from x11fwd.transports.local import LocalTransport

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from x11fwd.facts.client import ClientFacts
    from x11fwd.facts.model import LocalFacts, RemoteFacts
    from x11fwd.facts.place import PlaceFacts
    from x11fwd.pipeline.demo_needs import Equipment, Missing
    from x11fwd.pipeline.doctor import DoctorResult
    from x11fwd.pipeline.setup import SetupResult
    from x11fwd.pipeline.verify import VerifyResult
    from x11fwd.target import Target
    from x11fwd.transports.base import Prompter, Transport, X11Offer

__all__ = ["DemoEvents", "DemoOptions", "DemoResult", "DemoStep", "run_demo"]

CAUSE = "sshd-x11forwarding-no"  # what doctor has to find in the sandbox
_COMMAND = 'echo "DISPLAY there is $DISPLAY"'
_LOGIN = 60.0  # seconds


@dataclass(frozen=True)
class DemoOptions:
    """What the user asked for.

    Attributes:
        screenshot: the PNG file to write.
    """

    screenshot: Path = Path("x11fwd-demo.png")


@dataclass(frozen=True)
class DemoStep:
    """One step that is over.

    Attributes:
        id: `needs`, `sandbox`, `doctor`, `setup`, `ssh`, `verify`.
        title: what was done, as a short sentence.
        ok: it came out as the demo wants.
        detail: what was seen, one or more lines.
        command: what a person would type for the same on a real server, "" where there is no such thing.
    """

    id: str
    title: str
    ok: bool
    detail: str = ""
    command: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class DemoResult:
    """What came of it.

    Attributes:
        steps: in order, up to the first that failed.
        missing: what has to be installed first, None where nothing or where it was installed.
        picture: verify's result, whose `image` and `screenshot` are there to be shown.
    """

    steps: tuple[DemoStep, ...]
    missing: Missing | None = None
    doctor: DoctorResult | None = None
    setup: SetupResult | None = None
    picture: VerifyResult | None = None
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        return self.missing is None and all(step.ok for step in self.steps)

    @property
    def exit_code(self) -> int:
        return 0 if self.ok else 1


class DemoEvents(Protocol):
    """Who is told what goes on."""

    def doing(self, text: str) -> None:
        """One clause on what is being done now."""
        ...

    def finished(self, step: DemoStep) -> None: ...


def run_demo(
    options: DemoOptions,
    prompter: Prompter,
    events: DemoEvents,
    approve: Callable[[Missing], bool],
) -> DemoResult:
    """Try it all on this machine, for this user, without a server.

    Args:
        prompter: asked for sudo's password where something is to be installed.
        approve: may what is missing be installed?

    Raises:
        ChangeError: installing failed.
        ProbeError: the sandbox did not start.
        DisplayError: the screenshot could not be written.
    """
    return _Demo(options, prompter, events).all(approve)


class _Demo:
    def __init__(self, options: DemoOptions, prompter: Prompter, events: DemoEvents) -> None:
        self._options, self._prompter, self._events = options, prompter, events
        self._began = self._step_began = time.monotonic()
        self._steps: list[DemoStep] = []
        self._result = DemoResult(())

    def all(self, approve: Callable[[Missing], bool]) -> DemoResult:
        self._events.doing("looking at this machine")
        environ = dict(os.environ)
        ensured = ensure_display(environ)
        equipment = self._equipped(needs_screen=ensured.display is None, approve=approve)
        if equipment is None:
            return self._end()
        self._events.doing("starting a server for this user alone")
        with Sandbox(sshd=equipment.sshd, xvfb=equipment.xvfb) as sandbox:
            display = sandbox.display or ensured.display
            authority = sandbox.authority or ensured.authority
            environ["DISPLAY"] = display or ""
            if authority is not None:
                environ["XAUTHORITY"] = authority
            screen = (
                f"the screen {display}" if ensured.display else f"a screen of its own ({display}, unseen)"
            )
            self._finish("sandbox", f"started an sshd with X11 off, and took {screen}", detail=ALIAS)
            python = None if equipment.is_first else equipment.python
            means = _SandboxMeans(environ)
            if (
                self._doctor(sandbox, means, python)
                and self._setup(sandbox, means, python)
                and self._ssh(sandbox, environ)
            ):
                self._verify(sandbox, environ, python)
        return self._end()

    def _equipped(self, *, needs_screen: bool, approve: Callable[[Missing], bool]) -> Equipment | None:
        equipment = look_around(needs_screen=needs_screen)
        missing = equipment.missing
        if missing.programs:
            if not missing.command or not approve(missing):
                self._finish("needs", "something is missing", ok=False, detail=", ".join(missing.programs))
                self._result = replace(self._result, missing=missing)
                return None
            self._events.doing(f"installing {' '.join(missing.packages)}")
            install(missing, self._prompter.secret)
            equipment = look_around(needs_screen=needs_screen)
            if equipment.missing.programs:
                still = ", ".join(equipment.missing.programs)
                raise ChangeError(f"{still} is still missing after the packages were installed")
            self._finish("needs", f"installed {' '.join(missing.packages)}", command=missing.command)
        else:
            self._finish("needs", "everything that is needed is here")
        return equipment

    def _doctor(self, sandbox: Sandbox, means: _SandboxMeans, python: str | None) -> bool:
        self._events.doing("asking doctor why no window comes")
        result = run_doctor(sandbox.target, DoctorOptions(python=python), self._prompter, means=means)
        self._result = replace(self._result, doctor=result)
        cause = next((one for one in result.report.findings if one.id == result.report.cause), None)
        found = cause.title if cause else "nothing"
        detail = sandbox.shorten(cause.evidence) if cause else ""
        return self._finish(
            "doctor",
            f"doctor found the cause: {found}",
            ok=result.report.cause == CAUSE,
            detail=detail,
            command="x11fwd doctor HOST",
        )

    def _setup(self, sandbox: Sandbox, means: _SandboxMeans, python: str | None) -> bool:
        self._events.doing("setting it up")
        options = SetupOptions(python=python, sshd_config=str(sandbox.config))
        result = run_setup(
            sandbox.target, options, self._prompter, Silent(), lambda _target, _plan: True, means=means
        )
        self._result = replace(self._result, setup=result)
        changes = result.plan.changes if result.plan else ()
        words = result.error.message if result.error else result.note
        return self._finish(
            "setup",
            sandbox.shorten("; ".join(change.title for change in changes)) or "setup changed nothing",
            ok=result.status is SetupStatus.DONE,
            detail=words,
            command="x11fwd setup HOST",
        )

    def _ssh(self, sandbox: Sandbox, environ: Mapping[str, str]) -> bool:
        self._events.doing("logging in with x11fwd ssh")
        source = str(Path(__file__).resolve().parents[2])
        setting = [f"{name}={environ[name]}" for name in ("DISPLAY", "XAUTHORITY") if name in environ]
        # the cache is the user's own, and this host will never be seen again
        setting += [f"PYTHONPATH={source}", f"XDG_CACHE_HOME={sandbox.folder}/cache"]
        words = (sys.executable, "-m", "x11fwd", "ssh", "-F", str(sandbox.ssh_config), ALIAS, _COMMAND)
        answer = LocalTransport().run(("env", *setting, *words), timeout=_LOGIN)
        said = answer.text.strip()
        return self._finish(
            "ssh",
            "logged in with x11fwd ssh" if answer.ok else "x11fwd ssh failed",
            ok=answer.ok and "localhost:" in said,
            detail="\n".join(part for part in (said, answer.error_text.strip()) if part),
            command="x11fwd ssh HOST",
        )

    def _verify(self, sandbox: Sandbox, environ: Mapping[str, str], python: str | None) -> bool:
        options = VerifyOptions(python=python, screenshot=self._options.screenshot)
        means = _SandboxVerify(environ)
        result = run_verify(sandbox.target, options, self._prompter, self._events.doing, means=means)
        self._result = replace(self._result, picture=result)
        own = result.report.findings[-1]
        took = f" in {result.seconds:.1f} s" if result.seconds is not None else ""
        return self._finish(
            "verify",
            f"{own.title}{took}",
            ok=result.ok,
            detail=sandbox.shorten(own.evidence),
            command="x11fwd verify HOST",
        )

    def _finish(self, name: str, title: str, *, ok: bool = True, detail: str = "", command: str = "") -> bool:
        now = time.monotonic()
        step = DemoStep(name, title, ok, detail, command, now - self._step_began)
        self._step_began = now
        self._steps.append(step)
        self._events.finished(step)
        return ok

    def _end(self) -> DemoResult:
        return replace(self._result, steps=tuple(self._steps), seconds=time.monotonic() - self._began)


class _SandboxMeans:
    """doctor's and setup's arrows of the line in the sandbox: its display, and rights over its files."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ, self._real = environ, real_means()

    def gather_local(self, target: Target | None) -> LocalFacts:  # noqa: ARG002  known to be the sandbox
        from x11fwd.facts.local import gather_local

        return gather_local(environ=self._environ)

    def make_offer(self, local: LocalFacts) -> X11Offer | None:
        return self._real.make_offer(local)

    def connect(
        self,
        target: Target,
        prompter: Prompter,
        choice: str,
        x11: X11Offer | Callable[[], X11Offer | None] | None,
    ) -> Transport:
        return self._real.connect(target, prompter, choice, x11)

    def gather_remote(self, transport: Transport, python: str | None) -> RemoteFacts:
        facts = self._real.gather_remote(transport, python)
        # The sandbox's sshd and its files are this user's: as we are, we may change them.
        return replace(facts, privilege=Privilege(PrivilegeKind.ROOT, "the sandbox belongs to this user"))

    def find_place(self) -> PlaceFacts:
        return self._real.find_place()

    def gather_here(self, place: PlaceFacts, python: str | None) -> RemoteFacts:
        return self._real.gather_here(place, python)

    def gather_client(self, local: LocalFacts) -> ClientFacts | None:  # noqa: ARG002  its own
        return None


class _SandboxVerify(RealVerifyMeans):
    def choose_way(
        self,
        transport: Transport,  # noqa: ARG002  nobody is asked
        round_trip: float | None,  # noqa: ARG002  same
        ask: Callable[[], bool],  # noqa: ARG002  same
    ) -> Route:
        """ssh's own forwarding, which the demo is about; nothing is remembered of it."""
        return Route(NATIVE, "the demo is about ssh's own forwarding")

    def remember(self, transport: Transport, round_trip: float) -> None:
        """Nothing: this host will never be seen again."""
