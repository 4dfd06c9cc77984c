"""`verify`: a new login in which the remote's own matplotlib draws, and this screen is asked for the pixels.

connect with X11 -> facts -> plot over there -> window and pixels here -> report

Imported by the cli, setup and demo. Prints nothing.
"""

from __future__ import annotations

import os
import secrets
import statistics
import time
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from x11fwd.checks import diagnose, root_cause
from x11fwd.checks import exit_code as code_of
from x11fwd.checks.check import Aim, Seen
from x11fwd.checks.report import Finding, Report, Side, Status
from x11fwd.errors import ConnectError, DisplayError, ProbeError, X11fwdError
from x11fwd.facts.model import Unknown
from x11fwd.pipeline.plot_session import PlotEvent, PlotSession
from x11fwd.pipeline.plot_watch import PlotOutcome, evidence, watch_plot
from x11fwd.pipeline.ssh.routes import AUTO, BRIDGE, NATIVE, Route

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from x11fwd.facts.model import LocalFacts, RemoteFacts
    from x11fwd.target import Target
    from x11fwd.transports.base import Prompter, Transport, X11Offer
    from x11fwd.transports.choose import Preference
    from x11fwd.x11.connection import Connection
    from x11fwd.x11.image import Image

__all__ = ["FINDING", "RealVerifyMeans", "VerifyMeans", "VerifyOptions", "VerifyResult", "run_verify"]

FINDING = "plot-window"  # the id of the one finding that is verify's own


@dataclass(frozen=True)
class VerifyOptions:
    """What the user asked for besides the target.

    Attributes:
        transport: `auto`, `paramiko` or `openssh`.
        python: the interpreter to draw with, None for the one a script would get.
        trusted: kind of forwarding, None for what `x11fwd ssh` would choose.
        screenshot: a PNG file to write.
        keep: leave the window open until the person closes it.
        via: `native`, `bridge`, or `auto`: as `x11fwd ssh` chooses for this host.
        may_bridge: asks the person, who has not been asked for this host before, whether the bridge may walk
            around sshd's refusal.
        proves_forwarding: the bridge is taken only where ssh's own forwarding carried a connection to this
            screen, too, or is refused; else the plot takes ssh's own.
    """

    transport: Preference = "auto"
    python: str | None = None
    trusted: bool | None = None
    screenshot: Path | None = None
    keep: bool = False
    via: str = AUTO
    may_bridge: Callable[[], bool] = field(default=lambda: False, compare=False)
    proves_forwarding: bool = False


@dataclass(frozen=True)
class VerifyResult:
    """What was seen.

    Attributes:
        report: findings of both sides and verify's own; `ok` only if the pixels are right.
        backend, version, display: of the remote's matplotlib.
        round_trip: seconds, the median of the samples over the channel.
        seconds: from the import of matplotlib over there to the whole picture here; None without one.
        image: the window as it is on this screen.
        forwarding: which way and kind, and why.
        warnings: what matplotlib said.
        via: the way the window took, `native` or `bridge`.
    """

    report: Report
    backend: str = ""
    version: str = ""
    display: str | None = None
    round_trip: float | None = None
    samples: tuple[float, ...] = ()
    seconds: float | None = None
    image: Image | None = field(default=None, repr=False)
    screenshot: Path | None = None
    forwarding: str = ""
    warnings: tuple[str, ...] = ()
    local: LocalFacts | None = field(default=None, repr=False)
    remote: RemoteFacts | None = field(default=None, repr=False)
    route: str = ""
    via: str = NATIVE

    @property
    def ok(self) -> bool:
        return self.report.ok


class VerifyMeans(Protocol):
    """The arrows of the line that verify needs; tests put their own in place."""

    def gather_local(self) -> LocalFacts: ...

    def open_display(self, local: LocalFacts) -> Connection:
        """Raises DisplayError."""
        ...

    def make_offer(self, local: LocalFacts, trusted: bool | None) -> tuple[X11Offer | None, str]: ...

    def connect(
        self, target: Target, prompter: Prompter, choice: Preference, x11: X11Offer | None
    ) -> Transport: ...

    def gather_remote(self, transport: Transport, python: str | None) -> RemoteFacts: ...

    def remember(self, transport: Transport, round_trip: float) -> None:
        """Keep for `x11fwd ssh` how far away this host is."""
        ...

    def choose_way(self, transport: Transport, round_trip: float | None, ask: Callable[[], bool]) -> Route:
        """`BRIDGE` or `NATIVE`, as `x11fwd ssh` would choose for this host."""
        ...

    def open_bridge(self, transport: Transport, local: LocalFacts, *, trusted: bool) -> Bridge:
        """The second route over this connection. Raises ConnectError, DisplayError."""
        ...


class Bridge(Protocol):
    """A running bridge."""

    display: str
    authority: str

    @property
    def problem(self) -> str:
        """Why it does not run any more; empty while it does."""
        ...

    def close(self) -> None: ...


def run_verify(
    target: Target,
    options: VerifyOptions,
    prompter: Prompter,
    progress: Callable[[str], None] = lambda _text: None,
    *,
    shown: Callable[[VerifyResult], None] = lambda _result: None,
    means: VerifyMeans | None = None,
) -> VerifyResult:
    """Log in anew and see a plot arrive; changes nothing there.

    Args:
        progress: told what is going on, one clause at a time.
        shown: with `options.keep`, called with the result while the window is still open.

    Raises:
        DisplayError: the screenshot could not be written.
    """
    run = _Run(
        target, options, prompter=prompter, progress=progress, shown=shown, means=means or RealVerifyMeans()
    )
    return run.all()


class _Run:
    def __init__(
        self,
        target: Target,
        options: VerifyOptions,
        *,
        prompter: Prompter,
        progress: Callable[[str], None],
        shown: Callable[[VerifyResult], None],
        means: VerifyMeans,
    ) -> None:
        self._target = target
        self._options = options
        self._prompter = prompter
        self._progress = progress
        self._shown = shown
        self._means = means
        self._started = time.monotonic()
        self._remote: RemoteFacts | None = None
        self._refusal: X11fwdError | None = None
        self._forwarding = ""
        self._route = ""
        self._connected = False
        self._via = BRIDGE if options.via == BRIDGE else NATIVE
        self._asks_x11 = options.via != BRIDGE or options.proves_forwarding
        self._granted: bool | None = None

    def all(self) -> VerifyResult:
        self._progress("looking at the display of this machine")
        self._local = self._means.gather_local()
        try:
            connection = self._means.open_display(self._local)
        except DisplayError as error:
            return self._result(
                PlotOutcome(f"this machine has no display to show a window on: {error.message}")
            )
        # Held open to the end: a server that resets with its last client would forget the untrusted cookie.
        with connection:
            offer, self._forwarding = self._means.make_offer(self._local, self._options.trusted)
            if offer is None and self._asks_x11:
                return self._result(
                    PlotOutcome(f"this machine's display cannot be forwarded: {self._forwarding}")
                )
            self._progress(f"logging in to {self._target.host}")
            try:
                with self._means.connect(
                    self._target,
                    self._prompter,
                    self._options.transport,
                    offer if self._asks_x11 else None,
                ) as transport:
                    self._connected = True
                    self._route = f"{transport.name}: {transport.reason}"
                    return self._with(transport, connection)
            except ConnectError as error:
                self._refusal = error
                return self._result(PlotOutcome(error.message, error.hint))

    def _with(self, transport: Transport, connection: Connection) -> VerifyResult:
        host = self._target.host
        self._progress(f"looking at {host}")
        try:
            self._remote = self._means.gather_remote(transport, self._options.python)
        except ProbeError as error:
            self._refusal = error
            return self._result(PlotOutcome(error.message, error.hint))
        python = self._remote.python
        self._granted = transport.x11.granted
        route = self._choose(transport, self._remote)
        self._via = route.way
        if self._granted is False and self._via == NATIVE:
            said = "\n".join(transport.x11.remarks)
            return self._result(PlotOutcome(f"{host} refused to forward X11, so nothing was drawn", said))
        if python is None:
            return self._result(PlotOutcome(f"there is no Python on {host}, so nothing was drawn"))
        title = f"x11fwd {secrets.token_hex(4)}"
        shell = self._remote.shell if not isinstance(self._remote.login_environment, Unknown) else ""
        with ExitStack() as stack:
            display = None
            if self._via == BRIDGE:
                self._progress(f"starting the bridge on {host}")
                try:
                    display = self._over_bridge(transport, route, stack)
                except (ConnectError, DisplayError) as error:
                    if self._options.via != AUTO or not self._granted:
                        return self._result(PlotOutcome(error.message, error.hint))
                    # slower, and a way, which `x11fwd ssh` would take as well
                    self._via = NATIVE
                    self._forwarding += f"; {error.message}"
            session = stack.enter_context(
                PlotSession(transport, python=python.path, shell=shell, title=title, display=display)
            )
            plot = watch_plot(session, connection, title, host=host, progress=self._progress)
            if plot.samples:
                self._means.remember(transport, min(plot.samples))
            result = self._result(plot)
            if plot.image is not None:
                result = self._save(result, plot.image)
            if self._options.keep and result.ok:
                self._shown(result)
                self._progress("the window stays open until it is closed")
                _wait_until_closed(session)
        return result

    def _choose(self, transport: Transport, remote: RemoteFacts) -> Route:
        options = self._options
        route = Route(options.via, "")
        if options.via == AUTO:
            route = self._means.choose_way(transport, remote.round_trip, options.may_bridge)
        unproven = self._granted and remote.remote_handshake != "ok"
        if route.way == BRIDGE and options.proves_forwarding and unproven:
            return Route(NATIVE, "")  # the plot shows what becomes of it
        return route

    def _over_bridge(self, transport: Transport, route: Route, stack: ExitStack) -> tuple[str, str]:
        """DISPLAY and XAUTHORITY of a bridge that ends with the stack. Raises ConnectError, DisplayError."""
        from x11fwd.pipeline.bridged import needs_trust

        trusted = needs_trust(self._local) if self._options.trusted is None else self._options.trusted
        bridge = self._means.open_bridge(transport, self._local, trusted=trusted)
        stack.callback(bridge.close)
        words = f"over the bridge, {'trusted' if trusted else 'untrusted'}"
        if route.reason:
            words += f": {route.reason}"
        if self._remote is not None and self._granted and self._remote.remote_handshake == "ok":
            words += "; ssh's own forwarding works, too"
        self._forwarding = words
        return bridge.display, bridge.authority

    def _save(self, result: VerifyResult, image: Image) -> VerifyResult:
        path = self._options.screenshot
        if path is None:
            return result
        try:
            image.write_png(path)
        except OSError as error:
            raise DisplayError(f"the screenshot {path} could not be written: {error.strerror}") from error
        return replace(result, screenshot=path)

    def _result(self, plot: PlotOutcome) -> VerifyResult:
        seen = Seen(
            self._local,
            self._remote,
            host=self._target.host,
            target=self._target.typed,
            aim=Aim.of(self._target, self._options.python),
            connected=self._connected,
            refusal=self._refusal.message if self._refusal else None,
            refusal_hint=self._refusal.hint if self._refusal else "",
            route=self._route,
        )
        figure = plot.figure or PlotEvent("figure")
        findings = diagnose(seen)
        if not plot.problem:
            # What a check feared did not come true: the picture is there.
            findings = tuple(
                replace(one, status=Status.WARN, cause=None) if one.status is Status.FAIL else one
                for one in findings
            )
            title = f"a plot from {self._target.host} arrived on this screen, pixel for pixel"
            seen_there = evidence(figure) + ("; over the bridge" if self._via == BRIDGE else "")
            own = Finding(FINDING, Side.LINK, Status.PASS, title, seen_there)
            cause, code = None, 0
        else:
            cause = root_cause(findings)
            own = Finding(FINDING, Side.LINK, Status.FAIL, plot.problem, plot.evidence, cause)
            code = max(code_of(findings), 1)
            cause = cause or FINDING
        report = Report(
            command="verify",
            target=self._target.typed,
            findings=(*findings, own),
            cause=cause,
            exit_code=code,
            seconds=time.monotonic() - self._started,
            via=self._via,
            refused=self._granted is False,
        )
        return VerifyResult(
            report,
            backend=figure.backend,
            version=figure.version,
            display=figure.display,
            round_trip=statistics.median(plot.samples) if plot.samples else None,
            samples=plot.samples,
            seconds=plot.seconds,
            image=plot.image,
            forwarding=self._forwarding,
            warnings=figure.warnings,
            local=self._local,
            remote=self._remote,
            route=self._route,
            via=self._via,
        )


def _wait_until_closed(session: PlotSession) -> None:
    while True:
        event = session.event(3600.0)
        if event is not None and event.name in {"closed", "end", "failed"}:
            return


class RealVerifyMeans:
    """The program's own."""

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        self._environ = os.environ if environ is None else environ

    def gather_local(self) -> LocalFacts:
        from x11fwd.pipeline.display import gather_ensured

        return gather_ensured(self._environ)

    def open_display(self, local: LocalFacts) -> Connection:
        from x11fwd.pipeline.display import open_connection

        return open_connection(local)

    def make_offer(self, local: LocalFacts, trusted: bool | None) -> tuple[X11Offer | None, str]:
        from x11fwd.pipeline.display import make_offer

        return make_offer(local, trusted=trusted)

    def connect(
        self, target: Target, prompter: Prompter, choice: Preference, x11: X11Offer | None
    ) -> Transport:
        from x11fwd.transports.choose import connect

        return connect(target, prompter=prompter, choice=choice, x11=x11)

    def gather_remote(self, transport: Transport, python: str | None) -> RemoteFacts:
        from x11fwd.facts.remote import gather_remote

        return gather_remote(transport, python=python)

    def choose_way(self, transport: Transport, round_trip: float | None, ask: Callable[[], bool]) -> Route:
        from x11fwd.pipeline.run_way import choose_route

        return choose_route(transport, round_trip, ask, self._environ)

    def open_bridge(self, transport: Transport, local: LocalFacts, *, trusted: bool) -> Bridge:
        from x11fwd.pipeline.bridged import open_bridge

        return open_bridge(transport, local, self._environ, trusted=trusted)

    def remember(self, transport: Transport, round_trip: float) -> None:
        from x11fwd.pipeline.ssh.link import remember_round_trip

        host, port = transport.config.first("hostname"), transport.config.first("port")
        if host and port:
            remember_round_trip(host, port, round_trip, self._environ)
