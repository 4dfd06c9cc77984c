"""A session seen from inside, and what earlier logins left: which cause is named; F45, F46 and F84 to F98."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import pytest

from tests.unit.checks.seen import cause_of, healthy, with_matplotlib, with_remote
from x11fwd.checks import CHECKS, diagnose, exit_code, root_cause
from x11fwd.checks.report import Side, Status
from x11fwd.facts.account import AccountFacts, Lasting
from x11fwd.facts.model import Unknown
from x11fwd.facts.network import Listener, NetworkFacts
from x11fwd.facts.place import PlaceFacts
from x11fwd.facts.place_ancestors import Process
from x11fwd.transports.base import X11Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from x11fwd.checks.check import Seen

SSHD = (Process(20, "sshd", "sshd", 1000), Process(19, "sshd", "sshd", 0))
BASH = Process(30, "bash", "", 1000)
DEAD = "connect localhost port 6011: Connection refused"
REJECTED = "the connection was closed without an answer"


def inside(
    *above: Process,
    display: str = "localhost:11.0",
    shake: str | None = None,
    start: str = "",
    uid: int = 1000,
    listeners: tuple[Listener, ...] = (),
    tmux: dict[str, str] | None = None,
    **place: object,
) -> Seen:
    """A session on gpu1 below these processes, whose DISPLAY is `display`; sshd gave `start`."""
    environment = {"DISPLAY": display} if display else {}
    below = any(one.kind == "sshd" for one in above)
    facts = PlaceFacts(
        in_session=True,
        why="SSH_CONNECTION=10.0.0.5 1 10.0.0.9 22",
        ancestors=above,
        uid=uid,
        owner=1000,
        owner_name="ana",
        owner_home="/home/ana",
        hostname="gpu1",
        environment=MappingProxyType({**environment, "SSH_CONNECTION": "10.0.0.5 1 10.0.0.9 22"}),
        tmux=MappingProxyType(tmux) if tmux is not None else None,
    )
    given = start or (display if not below else "")
    seen = with_remote(
        healthy(),
        place=replace(facts, **place),  # type: ignore[arg-type]
        uid=uid,
        user="ana" if uid == 1000 else "root",
        x11=X11Outcome(requested=bool(given or display), granted=bool(given or display) or None),
        start_environment=MappingProxyType({"DISPLAY": given} if given else {}),
        login_environment=MappingProxyType(environment),
        remote_handshake=shake if display else None,
        network=NetworkFacts(True, ("127.0.0.1",), listeners=listeners),
    )
    seen = replace(seen, inside=True, target=None)
    return seen if shake == "ok" else with_matplotlib(seen, backend="agg")


def listener(display: int, uid: int = 1000) -> Listener:
    return Listener("127.0.0.1", 6000 + display, uid)


def above(name: str, kind: str, uid: int = 1000) -> Process:
    return Process(40, name, kind, uid)


@dataclass(frozen=True)
class Case:
    """What the session is like, the cause that has to be named, words of its evidence and of its fix."""

    seen: Callable[[], Seen]
    cause: str
    evidence: str = ""
    fix: str = ""
    status: Status = Status.FAIL


SUDO = (BASH, above("sudo", "user", 0), BASH, *SSHD)
SU = (BASH, above("su", "user", 0), BASH, *SSHD)

CASES = {
    # F45: mosh#41: the environment of the ssh that started it
    "mosh with an old DISPLAY": Case(
        lambda: inside(BASH, above("mosh-server", "mosh"), shake=DEAD),
        "transport-without-x11",
        "mosh-server (process 40) is above us; DISPLAY=localhost:11.0: connect",
        "x11fwd ssh gpu1",
    ),
    "mosh without any": Case(
        lambda: inside(BASH, above("mosh-server", "mosh"), display=""), "transport-without-x11", "empty"
    ),
    "Eternal Terminal": Case(
        lambda: inside(BASH, above("etterminal", "et"), shake=DEAD), "transport-without-x11", "etterminal"
    ),
    # F46: vscode-remote-release#267, #4600
    "an editor with an old DISPLAY": Case(
        lambda: inside(BASH, above("node", "ide"), shake=DEAD),
        "ide-remote-stale-display",
        "node (process 40)",
    ),
    "an editor that drops DISPLAY": Case(
        lambda: inside(BASH, above("node", "ide"), display=""), "ide-remote-stale-display", "empty"
    ),
    "an editor whose number somebody else has now": Case(
        lambda: inside(BASH, above("node", "ide"), shake=REJECTED, listeners=(listener(11, 1001),)),
        "ide-remote-stale-display",
        "DISPLAY=localhost:11.0",
    ),
    "sudo": Case(
        lambda: inside(*SUDO, shake=REJECTED, start="localhost:11.0", uid=0, listeners=(listener(11),)),
        "sudo-loses-cookie",
        "sudo (process 40) is between",
        "export XAUTHORITY=/home/ana/.Xauthority",
    ),
    "su to another user": Case(
        lambda: inside(*SU, shake=REJECTED, uid=1001, start="localhost:11.0"),
        "sudo-loses-cookie",
        "su (process",
    ),
    "su -": Case(
        lambda: inside(*SU, display="", uid=1001, listeners=(listener(11),)),
        "su-dash-loses-display",
        "plot as ana",
        "exit",
    ),
    "sudo -i": Case(
        lambda: inside(*SUDO, display="", uid=0, start="localhost:11.0"),
        "su-dash-loses-display",
        "was localhost:11.0 before",
        "export DISPLAY=localhost:11.0 XAUTHORITY=/home/ana/.Xauthority",
    ),
    "a pane of an earlier login": Case(
        lambda: inside(BASH, above("tmux: server", "tmux"), shake=DEAD, tmux={"DISPLAY": "localhost:12.0"}),
        "tmux-stale-display",
        "tmux show-environment DISPLAY: localhost:12.0",
        'eval "$(tmux show-environment -s DISPLAY)"',
    ),
    "a pane of an earlier login, and nobody attached with X11": Case(
        lambda: inside(BASH, above("tmux: server", "tmux"), shake=DEAD, tmux={}),
        "tmux-stale-display",
        "attach",
        "tmux detach-client",
    ),
    "sudo in an old pane": Case(
        lambda: inside(
            BASH, above("sudo", "user", 0), BASH, above("tmux: server", "tmux"), shake=DEAD, uid=0, tmux={}
        ),
        "tmux-stale-display",
    ),
    "a pane whose tmux cannot be seen": Case(
        lambda: inside(
            BASH,
            shake=DEAD,
            environment=MappingProxyType({"TMUX": "/tmp/t,1,0", "DISPLAY": "localhost:11.0"}),
        ),
        "tmux-stale-display",
    ),
    "a window of screen": Case(
        lambda: inside(BASH, above("screen", "screen"), shake=DEAD),
        "tmux-stale-display",
        "DISPLAY=",
        "export DISPLAY",
    ),
    "a number that another user has now": Case(
        lambda: inside(
            BASH, above("tmux: server", "tmux"), shake=REJECTED, tmux={}, listeners=(listener(11, 1001),)
        ),
        "tmux-number-reused",
        "user 1001 listens on port 6011",
    ),
    "a pane on another screen": Case(
        lambda: inside(
            BASH,
            above("tmux: server", "tmux"),
            shake="ok",
            tmux={"DISPLAY": "localhost:12.0"},
            listeners=(listener(11), listener(12)),
        ),
        "tmux-number-reused",
        "localhost:12.0",
        'eval "$(tmux',
        Status.WARN,
    ),
    "a container's own network": Case(
        lambda: inside(BASH, shake=DEAD, container="docker"),
        "container-network",
        "refused",
        "docker run --network host",
    ),
    "a namespace of its own": Case(
        lambda: inside(BASH, *SSHD, shake=DEAD, start="localhost:11.0", own_network=True), "container-network"
    ),
    "a container without DISPLAY": Case(
        lambda: inside(BASH, display="", container="podman"), "container-network", "empty", "podman run"
    ),
    "a container without the cookie": Case(
        lambda: inside(BASH, shake=REJECTED, container="docker"), "container-cookie", "gpu1", "ffff"
    ),
    # F92: c3nl_cluster#27: cannot connect to X server localhost:14.0
    "a job with the login node's DISPLAY": Case(
        lambda: inside(
            BASH, above("slurmstepd", "batch", 0), shake=DEAD, job="Slurm", submit_host="login1.hpc"
        ),
        "batch-inherits-display",
        "submitted on login1, running on gpu1",
        "srun --x11",
    ),
    "a job of PBS": Case(
        lambda: inside(BASH, shake=DEAD, job="PBS", submit_host="gpu1"),
        "batch-inherits-display",
        "",
        "MPLBACKEND=Agg",
    ),
    # F91: srun: error: No DISPLAY variable set, cannot setup x11 forwarding.
    "a job of Slurm without DISPLAY": Case(
        lambda: inside(BASH, above("slurmstepd", "batch", 0), display="", job="Slurm"),
        "slurm-no-x11",
        "empty",
        "srun --x11 --pty bash",
    ),
    # F98: jupyterhub#698
    "a notebook without DISPLAY": Case(
        lambda: inside(above("python3", "jupyter"), display=""),
        "jupyter-kernel-display",
        "empty",
        "%matplotlib",
    ),
    "a notebook with an old one": Case(
        lambda: inside(above("python3", "jupyter"), shake=DEAD), "jupyter-kernel-display", "refused"
    ),
    "DISPLAY typed away": Case(
        lambda: inside(BASH, *SSHD, display="", start="localhost:11.0"),
        "start-file-overwrites-display",
        "SSH_CONN",
    ),
    "DISPLAY of another session of one's own": Case(
        lambda: inside(BASH, *SSHD, shake="ok", start="localhost:12.0"),
        "start-file-overwrites-display",
        "it works",
        "export DISPLAY=localhost:12.0",
        Status.WARN,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_cause_in_a_session_is_named(name: str) -> None:
    case = CASES[name]
    findings = diagnose(case.seen())
    cause = cause_of(findings)
    assert cause is not None
    assert (cause.id, cause.status) == (case.cause, case.status)
    assert case.evidence in cause.evidence
    assert case.fix in (cause.fix.command if cause.fix else "")
    alone = [one.id for one in findings if one.status in {Status.FAIL, Status.WARN} and one.cause is None]
    assert alone == [case.cause]


def test_a_session_that_works_has_nothing_to_complain_of() -> None:
    seen = inside(BASH, *SSHD, shake="ok", start="localhost:11.0", listeners=(listener(11),))
    findings = diagnose(seen)
    assert {one.status for one in findings} <= {Status.PASS, Status.SKIP}
    assert {one.side for one in findings} == {Side.LINK, Side.REMOTE}
    assert exit_code(findings) == 0


@pytest.mark.parametrize(
    "seen",
    [
        inside(BASH, above("tmux: server", "tmux"), shake="ok", tmux={"DISPLAY": "localhost:11.0"}),
        inside(BASH, above("node", "ide"), shake="ok"),
        inside(BASH, above("mosh-server", "mosh"), shake="ok"),
        inside(BASH, shake="ok", container="docker"),
        inside(BASH, above("slurmstepd", "batch"), shake="ok", job="Slurm"),
        inside(*SUDO, shake="ok", start="localhost:11.0", uid=0),
    ],
)
def test_what_works_is_no_fault_whatever_lies_between(seen: Seen) -> None:
    assert root_cause(diagnose(seen)) is None


def test_a_session_without_x11_is_a_failure_that_sends_one_back_to_the_desk() -> None:
    findings = {one.id: one for one in diagnose(inside(BASH, *SSHD, display=""))}
    found = findings["session-without-display"]
    assert found.status is Status.FAIL
    assert "10.0.0.5" in found.title
    assert found.fix is not None
    assert found.fix.command == "x11fwd ssh gpu1"


# --- from the desktop ---------------------------------------------------------------------------------------


def lasting(*found: Lasting, listeners: tuple[Listener, ...] = (listener(10),)) -> Seen:
    return with_remote(
        healthy(),
        account=AccountFacts((), found),
        network=NetworkFacts(True, ("127.0.0.1",), listeners=listeners),
    )


@pytest.mark.parametrize(
    ("kind", "cause"),
    [
        ("tmux", "tmux-stale-display"),
        ("screen", "tmux-stale-display"),
        ("mosh", "transport-without-x11"),
        ("et", "transport-without-x11"),
        ("ide", "ide-remote-stale-display"),
        ("jupyter", "jupyter-kernel-display"),
    ],
)
def test_a_program_with_the_display_of_a_login_that_is_over_is_a_warning(kind: str, cause: str) -> None:
    findings = diagnose(lasting(Lasting(kind, 77, "default main:0.1", "localhost:12.0")))
    found = cause_of(findings)
    assert found is not None
    assert (found.id, found.status) == (cause, Status.WARN)
    assert "default main:0.1 (process 77): DISPLAY=localhost:12.0" in found.evidence
    assert exit_code(findings) == 0


@pytest.mark.parametrize(
    "seen",
    [
        lasting(Lasting("tmux", 77, "", "localhost:12.0"), listeners=(listener(10), listener(12))),
        lasting(Lasting("tmux", 77, "", "localhost:10.0")),  # the number that the next login gets, too
        lasting(Lasting("tmux", 77, "", ":0")),
        lasting(Lasting("tmux", 77, "", "gpu1:1")),
    ],
)
def test_a_program_whose_display_answers_or_was_never_forwarded_is_no_warning(seen: Seen) -> None:
    assert root_cause(diagnose(seen)) is None


def test_many_old_panes_are_counted() -> None:
    panes = [Lasting("tmux", 70 + n, f"default main:{n}.0", "localhost:12.0") for n in range(9)]
    found = cause_of(diagnose(lasting(*panes)))
    assert found is not None
    assert "and 4 more" in found.evidence


def test_nobody_warns_of_what_nobody_could_look_at() -> None:
    seen = with_remote(healthy(), account=AccountFacts((), (Lasting("tmux", 7, "", "localhost:12.0"),)))
    assert isinstance(seen.there.network.listeners, Unknown)
    assert root_cause(diagnose(seen)) is None


# --- the account --------------------------------------------------------------------------------------------


def test_every_section_of_the_catalogue_from_f72_on_has_its_check() -> None:
    slugs = (
        "hardening-auto-tmux home-read-only home-full-or-quota home-missing xauthority-owned-by-root "
        "xauthority-stale-lock xauthority-is-a-directory xauthority-env-override ssh-rc-eats-cookie "
        "hostname-changed xauth-foreign-entries start-file-overwrites-display sudo-loses-cookie "
        "su-dash-loses-display tmux-stale-display tmux-number-reused container-network container-cookie "
        "snap-flatpak-app slurm-no-x11 batch-inherits-display login-shell-not-posix noisy-start-files "
        "start-file-execs-shell remote-is-macos no-tty-no-profile jupyter-kernel-display "
        "transport-without-x11 ide-remote-stale-display"
    )
    assert set(slugs.split()) <= {check.id for check in CHECKS}
