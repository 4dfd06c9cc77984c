"""`doctor`: resolve, connect, gather, diagnose; changes nothing. For the cli and verification."""

from __future__ import annotations

import contextlib
import threading
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol, TypeVar

from x11fwd.errors import ConnectError, ConnectionLost, DisplayError, ProbeError, UsageError, X11fwdError
from x11fwd.facts.model import LocalFacts, SystemFacts
from x11fwd.facts.silence import gather_silence

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from x11fwd.checks.report import Finding, Report
    from x11fwd.facts.client import ClientFacts
    from x11fwd.facts.client_ask import ClientQuestions
    from x11fwd.facts.model import RemoteFacts
    from x11fwd.facts.place import PlaceFacts
    from x11fwd.facts.silence import SilenceFacts
    from x11fwd.target import Target
    from x11fwd.transports.base import Prompter, Transport, X11Offer
    from x11fwd.transports.choose import Preference
    from x11fwd.x11.connection import Connection

__all__ = [
    "DoctorOptions",
    "DoctorResult",
    "Means",
    "beside",
    "look_here",
    "preference",
    "real_means",
    "run_doctor",
]

T = TypeVar("T")


@dataclass(frozen=True)
class DoctorOptions:
    """What the user asked for besides the target.

    Attributes:
        transport: `auto`, `paramiko` or `openssh`.
        python: the interpreter to look at, None for the one a script would get.
        only: ids of the findings to report; all where empty.
        offer_cures: name `x11fwd doctor --fix` as the fix of what it cures, and not what to type by hand.
    """

    transport: str = "auto"
    python: str | None = None
    only: tuple[str, ...] = ()
    offer_cures: bool = True


@dataclass(frozen=True)
class DoctorResult:
    """The report, and the facts it was made from.

    Attributes:
        route: transport and the reason for it, "" where none was opened.
        round_trips: questions asked of the remote after login.
        session_on: name of this machine where doctor ran inside a session of ssh on it; "" from the desktop.
    """

    report: Report
    local: LocalFacts
    remote: RemoteFacts | None = None
    route: str = ""
    round_trips: int = 0
    session_on: str = ""


class Means(Protocol):
    """The arrows of the line that doctor needs; tests put their own in place."""

    def gather_local(self, target: Target | None) -> LocalFacts: ...

    def make_offer(self, local: LocalFacts) -> X11Offer | None: ...

    def connect(
        self,
        target: Target,
        prompter: Prompter,
        choice: str,
        x11: X11Offer | Callable[[], X11Offer | None] | None,
    ) -> Transport: ...

    def gather_remote(self, transport: Transport, python: str | None) -> RemoteFacts: ...

    def find_place(self) -> PlaceFacts: ...

    def gather_here(self, place: PlaceFacts, python: str | None) -> RemoteFacts: ...

    def gather_client(self, local: LocalFacts) -> ClientFacts | None: ...


class _Real:
    """The program's own.

    Args:
        warm: load the transports while the local facts are gathered, which mostly waits for a process.
    """

    def __init__(self, *, warm: bool) -> None:
        self._warm = warm
        # An X server that resets when its last client leaves (Xvfb, some Windows servers) would forget the
        # untrusted cookie of our offer; this one stays until the work is done.
        self._held: Connection | None = None
        self._client: ClientQuestions | None = None
        self._lock = threading.Lock()

    def gather_local(self, target: Target | None) -> LocalFacts:
        from x11fwd.facts.local import gather_local

        questions = self._questions(target) if target is not None else None
        if self._warm:
            threading.Thread(target=_load_transports, name="x11fwd-load", daemon=True).start()
        return gather_local(target=target, asked=questions.config_if_any if questions else None)

    def make_offer(self, local: LocalFacts) -> X11Offer | None:
        from x11fwd.pipeline.display import make_offer, open_connection

        if self._held is None and local.handshake is not None and local.handshake.ok:
            with contextlib.suppress(DisplayError):
                self._held = open_connection(local)
        return make_offer(local)[0]

    def connect(
        self,
        target: Target,
        prompter: Prompter,
        choice: str,
        x11: X11Offer | Callable[[], X11Offer | None] | None,
    ) -> Transport:
        from x11fwd.transports.choose import connect

        wanted = preference(choice)
        config = self._questions(target).config()
        return connect(target, prompter=prompter, choice=wanted, x11=x11, config=config)

    def _questions(self, target: Target) -> ClientQuestions:
        """ssh -G is asked once, whoever wants its answer first."""
        from x11fwd.facts.client_ask import ClientQuestions

        with self._lock:
            if self._client is None or self._client.target != target:
                self._client = ClientQuestions(target)
            return self._client

    def gather_remote(self, transport: Transport, python: str | None) -> RemoteFacts:
        from x11fwd.facts.remote import gather_remote

        return gather_remote(transport, python=python)

    def find_place(self) -> PlaceFacts:
        from x11fwd.facts.place import find_place

        return find_place()

    def gather_here(self, place: PlaceFacts, python: str | None) -> RemoteFacts:
        from x11fwd.facts.remote import gather_here
        from x11fwd.transports.local import LocalTransport

        return gather_here(LocalTransport(), place, python=python)

    def gather_client(self, local: LocalFacts) -> ClientFacts | None:
        return None if self._client is None else self._client.facts(local)


def _load_transports() -> None:
    import x11fwd.transports.choose
    from x11fwd.transports.paramiko_loading import load_paramiko

    with contextlib.suppress(ImportError):  # the chooser says so, where it matters
        load_paramiko()
    # while the server works on the login: what will be sent, and what will judge the answers
    from x11fwd.facts.remote import probe_text

    probe_text()
    import x11fwd.checks  # noqa: F401


def preference(choice: str) -> Preference:
    """The word of `--transport`. Raises UsageError where there is none of that name."""
    words: dict[str, Preference] = {"auto": "auto", "paramiko": "paramiko", "openssh": "openssh"}
    if choice not in words:
        raise UsageError(f"there is no transport called {choice}", hint=f"there are {', '.join(words)}")
    return words[choice]


def real_means(*, warm: bool = True) -> Means:
    """The program's own arrows of the line.

    Args:
        warm: a connection will be made, so load what it takes early.
    """
    return _Real(warm=warm)


def run_doctor(
    target: Target | None,
    options: DoctorOptions,
    prompter: Prompter,
    progress: Callable[[str], None] = lambda _text: None,
    *,
    means: Means | None = None,
) -> DoctorResult:
    """Look at this machine and, with a target, at the other one; one login, nothing is changed.

    Without a target, in a session of ssh, this machine is the other one: nothing is known of the screen, and
    everything of the session.

    A connection that does not come about is a finding (`ssh-connection`) and exit code 3, not an exception,
    so that what is known of this machine is still said.

    Args:
        progress: told what is going on, one clause at a time.

    Raises:
        UsageError: an id of `options.only` is not one of the findings.
    """
    result = _looked(target, options, prompter, progress, means)
    if not options.offer_cures or result.report.cause is None:
        return result
    from x11fwd.checks.check import Aim
    from x11fwd.pipeline.curing import offered

    words = Aim.of(target, options.python).with_python if target else ""
    findings = offered(result.report.findings, result.local, result.remote, target, words)
    return replace(result, report=replace(result.report, findings=findings))


def _looked(
    target: Target | None,
    options: DoctorOptions,
    prompter: Prompter,
    progress: Callable[[str], None],
    means: Means | None,
) -> DoctorResult:
    means = means or real_means(warm=target is not None)
    started = time.monotonic()
    _refuse_unknown(options.only)
    if target is None:
        place = means.find_place()
        if place.in_session:
            return _look_inside(place, options, progress, means, started)
    if target is None:
        from x11fwd.checks import diagnose
        from x11fwd.checks.check import Seen

        local = means.gather_local(None)
        return DoctorResult(_report(None, diagnose(Seen(local)), options, started), local)

    remote: RemoteFacts | None = None
    failure: X11fwdError | None = None
    connected, route, round_trips = False, "", 0
    silence: SilenceFacts | None = None
    progress(f"connecting to {target.host}")
    here = beside(lambda: look_here(target, means))
    try:
        with means.connect(target, prompter, options.transport, lambda: here()[1]) as transport:
            connected, route = True, f"{transport.name}: {transport.reason}"
            progress(f"looking at {target.host}")
            here()
            try:
                remote = means.gather_remote(transport, options.python)
                from x11fwd.checks.sshd import refused_without_a_reason

                if refused_without_a_reason(remote):
                    # Two logins of one moment can want the same display number, and sshd then refuses one of
                    # them (channels.c, x11_create_display_inet): what has not been reloaded refuses again.
                    remote = means.gather_remote(transport, options.python)
            except ProbeError as error:
                failure, silence = error, gather_silence(transport, error)
            finally:
                round_trips = transport.round_trips
    except ConnectError as error:
        failure, connected = error, False
    except ProbeError as error:  # the connection itself could not be made sense of
        failure = error
    local = here()[0]
    local = replace(local, client=means.gather_client(local))
    from x11fwd.checks import diagnose
    from x11fwd.checks.check import Aim, Seen

    seen = Seen(
        local,
        remote,
        host=target.host,
        target=target.typed,
        aim=Aim.of(target, options.python),
        connected=connected,
        refusal=failure.message if failure else None,
        refusal_hint=failure.hint if failure else "",
        route=route,
        silence=silence,
    )
    report = _report(target.typed, diagnose(seen), options, started)
    return DoctorResult(report, local, remote, route, round_trips)


def look_here(target: Target, means: Means) -> tuple[LocalFacts, X11Offer | None]:
    """This machine's facts, and the display that it can offer."""
    local = means.gather_local(target)
    return local, means.make_offer(local)


def beside(work: Callable[[], T]) -> Callable[[], T]:
    """Start something on a thread of its own; what is returned waits for its answer, or raises its error."""
    from concurrent.futures import Future

    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001  raised again where the answer is wanted
            future.set_exception(error)

    threading.Thread(target=run, name="x11fwd-beside", daemon=True).start()
    return future.result


def _refuse_unknown(only: Sequence[str]) -> None:
    if not only:
        return
    from x11fwd.checks import CHECKS

    known = {check.id for check in CHECKS}
    for one in only:
        if one not in known:
            raise UsageError(f"no check is called {one}", hint="`x11fwd doctor --json TARGET` names them all")


def _look_inside(
    place: PlaceFacts,
    options: DoctorOptions,
    progress: Callable[[str], None],
    means: Means,
    started: float,
) -> DoctorResult:
    """The session in which we run: one run of the remote's probe, here."""
    remote, refusal, hint = None, None, ""
    progress("looking at this session")
    try:
        remote = means.gather_here(place, options.python)
    except (ProbeError, ConnectionLost) as error:
        refusal, hint = error.message, error.hint
    from x11fwd.checks import diagnose
    from x11fwd.checks.check import Seen

    # of the machine with the screen nothing can be known from here
    local = LocalFacts(SystemFacts(""), display=None)
    name = place.hostname.partition(".")[0] or "this machine"
    seen = Seen(
        local,
        remote,
        host=name,
        refusal=refusal,
        refusal_hint=hint,
        route=place.why,
        inside=True,
    )
    return DoctorResult(_report(None, diagnose(seen), options, started), local, remote, session_on=name)


def _report(
    target: str | None, findings: Sequence[Finding], options: DoctorOptions, started: float
) -> Report:
    from x11fwd.checks import exit_code, root_cause
    from x11fwd.checks.report import Report, Status

    shown = tuple(finding for finding in findings if not options.only or finding.id in options.only)
    broken = next((finding for finding in shown if finding.status is Status.FAIL), None)
    cause = (broken.cause or broken.id) if options.only and broken else root_cause(shown)
    return Report(
        command="doctor",
        target=target,
        findings=shown,
        cause=cause,
        exit_code=exit_code(shown),
        seconds=time.monotonic() - started,
    )
