"""One broken thing at a time: which cause is named, what was seen, and what to type."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import pytest

from tests.unit.checks import seen as made
from tests.unit.checks.seen import (
    MAIN,
    bare,
    healthy,
    refused,
    refused_by_server,
    with_files,
    with_local,
    with_matplotlib,
    with_python,
    with_remote,
)
from x11fwd.checks import diagnose, exit_code, root_cause
from x11fwd.checks.check import Seen
from x11fwd.checks.report import FixBy, Status
from x11fwd.facts.model import (
    AuthorityFile,
    HomeFacts,
    MatplotlibFacts,
    PythonKind,
    SettingSource,
    SystemFacts,
    Unknown,
    XauthFacts,
)
from x11fwd.transports.base import X11Outcome
from x11fwd.x11.client import Attempt, Handshake, HandshakeStatus
from x11fwd.x11.display import Address, AddressKind

if TYPE_CHECKING:
    from collections.abc import Callable

INCLUDE = f"Include {MAIN}.d/*.conf\n"
RC = "/home/ana/.config/matplotlib/matplotlibrc"


@dataclass(frozen=True)
class Case:
    """What is broken, the cause that has to be named, words of its evidence, and words of its fix."""

    seen: Callable[[], Seen]
    cause: str
    evidence: str = ""
    fix: str = ""


def no_display(seen: Seen, **changes: object) -> Seen:
    """This machine without an X server; the remote was never asked for X11."""
    seen = with_local(
        seen,
        **{"display": None, "display_candidates": (), "display_used": None, "handshake": None, **changes},
    )
    seen = with_remote(
        seen,
        x11=X11Outcome(),
        start_environment=MappingProxyType({}),
        login_environment=MappingProxyType({}),
        remote_handshake=None,
    )
    return with_matplotlib(seen, backend="agg")


def with_display(value: str, *, problem: str | None = None) -> Seen:
    return no_display(healthy(), display=value, display_problem=problem)


def tcp_refused() -> Seen:
    address = Address(AddressKind.TCP, host="localhost", port=6000)
    shake = Handshake(
        HandshakeStatus.CONNECTION_REFUSED,
        "Connection refused",
        attempts=(Attempt(address, "Connection refused"),),
    )
    return with_local(
        healthy(),
        display="localhost:0",
        display_used="localhost:0",
        display_candidates=(":0",),
        handshake=shake,
    )


def not_let_in(status: HandshakeStatus, reason: str, **changes: object) -> Seen:
    return with_local(healthy(), handshake=refused_by_server(status, reason), **changes)


def authority(**changes: object) -> Seen:
    usual = AuthorityFile("/home/ana/.Xauthority", exists=True, owner="ana", mode=0o600, writable=True)
    seen = with_remote(healthy(), authority=replace(usual, **changes))  # type: ignore[arg-type]
    return with_remote(seen, remote_handshake="connection rejected because of wrong authentication")


def home(**changes: object) -> Seen:
    usual = HomeFacts("/home/ana", exists=True, writable=True, full=False, free_bytes=10**9)
    seen = with_remote(healthy(), home=replace(usual, **changes))  # type: ignore[arg-type]
    return with_remote(seen, remote_handshake="wrong authentication", authority=None)


def wish(value: str, source: SettingSource, **changes: object) -> Seen:
    return with_matplotlib(healthy(), **{"backend_wish": (value, source), "backend": "agg", **changes})


def by_variable(value: str) -> Seen:
    return wish(value, SettingSource(variable="MPLBACKEND"))


def by_file(value: str) -> Seen:
    source = SettingSource(RC, 3, text=f"backend: {value}")
    return wish(value, source, rc_backend=source)


def no_tk(**changes: object) -> Seen:
    seen = with_python(
        healthy(), tkinter=None, tkinter_problem="ModuleNotFoundError: No module named 'tkinter'", **changes
    )
    return with_matplotlib(seen, backend="agg")


DROPIN = f"{MAIN}.d/50-cis.conf"

CASES = {
    "no ssh here": Case(
        lambda: with_local(healthy(), ssh_path=None), "local-ssh-missing", "PATH", "apt-get install"
    ),
    "no display": Case(lambda: no_display(healthy()), "local-display-unset", "$DISPLAY is empty"),
    "no display, inside an ssh session": Case(
        lambda: no_display(healthy(), environment={"SSH_CONNECTION": "10.0.0.1 5 10.0.0.2 22"}),
        "local-display-unset",
        "SSH_CONNECTION",
        "exit",
    ),
    "no display on a Mac with XQuartz": Case(
        lambda: no_display(healthy(), system=SystemFacts("Darwin", os_id="macos")),
        "local-display-unset",
        "XQuartz",
        "open -a XQuartz",
    ),
    "no display on a Mac without XQuartz": Case(
        lambda: no_display(healthy(), system=SystemFacts("Darwin", os_id="macos"), xauth=XauthFacts(None)),
        "local-display-unset",
        "",
        "brew install --cask xquartz",
    ),
    "Wayland without Xwayland": Case(
        lambda: no_display(healthy(), session="wayland"),
        "wayland-no-xwayland",
        "Xwayland",
        "apt-get install --no-install-recommends xwayland",
    ),
    "characters that ssh refuses": Case(
        lambda: with_display("[::1]:99", problem="ssh refuses ["), "local-display-bad-chars", "ssh refuses ["
    ),
    "a malformed DISPLAY": Case(
        lambda: with_display("nonsense", problem="there is no colon"), "local-display-malformed", "no colon"
    ),
    "TCP where only the socket listens": Case(
        tcp_refused, "local-display-tcp-not-listening", "Connection refused", "export DISPLAY=:0"
    ),
    "a server that is gone": Case(
        lambda: not_let_in(HandshakeStatus.NO_SOCKET, "No such file or directory"),
        "local-display-dead",
        "/tmp/.X11-unix/X0: No such file",
    ),
    "a server that hangs": Case(
        lambda: not_let_in(HandshakeStatus.TIMEOUT, "it did not answer within 5 s"),
        "xquartz-xauth-hang",
        "5 s",
    ),
    "a full server": Case(
        lambda: not_let_in(HandshakeStatus.SERVER_FULL, "Maximum number of clients reached"),
        "x-server-client-limit",
        "Maximum number",
    ),
    "a wrong cookie": Case(
        lambda: not_let_in(HandshakeStatus.WRONG_COOKIE, "Invalid MIT-MAGIC-COOKIE-1 key"),
        "local-xauthority-wrong",
        "Invalid MIT-MAGIC-COOKIE-1 key",
    ),
    "no cookie": Case(
        lambda: not_let_in(HandshakeStatus.NO_COOKIE, "Authorization required", has_cookie=False),
        "local-xauthority-wrong",
        "Authorization required",
    ),
    "no xauth here": Case(
        lambda: with_local(healthy(), xauth=XauthFacts(None)), "local-xauth-missing-trusted", "", "xauth"
    ),
    "no connection": Case(
        lambda: Seen(
            healthy().local,
            host="gpu1",
            target="ana@gpu1",
            connected=False,
            refusal="gpu1 port 22: Connection refused",
            refusal_hint="is sshd running there?",
        ),
        "ssh-connection",
        "is sshd running",
    ),
    "another program answers": Case(
        lambda: Seen(healthy().local, host="gpu1", target="gpu1", refusal="gpu1 swallowed the command"),
        "probe-unanswered",
    ),
    "the key's options": Case(
        lambda: refused(
            healthy(),
            "/home/ana/.ssh/authorized_keys:3: key options: agent-forwarding pty",
            "X11 forwarding disabled by key options.",
        ),
        "key-no-x11",
        "authorized_keys:3",
        "+3 /home/ana/.ssh/authorized_keys",
    ),
    "not OpenSSH": Case(
        lambda: refused(
            with_remote(healthy(), sshd=replace(healthy().there.sshd, version="dropbear_2022.83"))
        ),
        "server-not-openssh",
        "dropbear",
    ),
    "X11Forwarding no in the main file": Case(
        lambda: with_files(healthy(), {MAIN: "Port 22\nX11Forwarding no\n"}, "no"),
        "sshd-x11forwarding-no",
        f"{MAIN}:2: X11Forwarding no",
        "x11fwd setup ana@gpu1",
    ),
    "X11Forwarding not mentioned": Case(
        lambda: with_files(healthy(), {MAIN: ""}, "no"), "sshd-x11forwarding-no", "default is no"
    ),
    "X11Forwarding no, files not readable": Case(
        lambda: with_remote(
            with_files(healthy(), {}, "no"),
            sshd=replace(
                healthy().there.sshd,
                files=Unknown("they need root"),
                effective=MappingProxyType({"x11forwarding": "no"}),
            ),
        ),
        "sshd-x11forwarding-no",
        "sshd -T says",
    ),
    "a drop-in that is read first": Case(
        lambda: with_files(
            healthy(), {MAIN: f"{INCLUDE}X11Forwarding yes\n", DROPIN: "# CIS\nX11Forwarding no\n"}, "no"
        ),
        "sshd-dropin-wins",
        f"{DROPIN}:2",
        "x11fwd setup ana@gpu1",
    ),
    "a later drop-in that comes too late": Case(
        lambda: with_files(
            healthy(),
            {
                MAIN: INCLUDE,
                f"{MAIN}.d/50-a.conf": "X11Forwarding no",
                f"{MAIN}.d/99-b.conf": "x11forwarding=yes",
            },
            "no",
        ),
        "sshd-dropin-wins",
        "99-b.conf:1",
    ),
    "yes appended inside a Match block": Case(
        lambda: with_files(
            healthy(),
            {MAIN: "X11Forwarding no\nMatch User git\n  AllowTcpForwarding no\nX11Forwarding yes\n"},
            "no",
        ),
        "sshd-append-lands-in-match",
        "Match User git",
    ),
    "a Match block that says no to this user": Case(
        lambda: with_files(
            healthy(), {MAIN: "X11Forwarding yes\nMatch Group students\n  X11Forwarding no\n"}, "no"
        ),
        "sshd-match-block",
        f"{MAIN}:3",
    ),
    "DisableForwarding": Case(
        lambda: refused(
            with_remote(
                healthy(),
                sshd=replace(
                    healthy().there.sshd,
                    files=MappingProxyType({MAIN: "X11Forwarding yes\nDisableForwarding yes\n"}),
                    effective=MappingProxyType({"x11forwarding": "yes", "disableforwarding": "yes"}),
                ),
            )
        ),
        "sshd-disableforwarding",
        f"{MAIN}:2",
        "sshd -t && sudo systemctl reload ssh.service",
    ),
    "no xauth there": Case(
        lambda: refused(
            with_remote(healthy(), xauth=XauthFacts(None)), "No xauth program; cannot forward X11."
        ),
        "remote-xauth-missing",
        "No xauth program",
        "x11fwd setup ana@gpu1",
    ),
    "xauth where sshd does not look": Case(
        lambda: refused(
            with_remote(
                healthy(),
                sshd=replace(
                    healthy().there.sshd,
                    effective=MappingProxyType(
                        {"x11forwarding": "yes", "xauthlocation": "/usr/X11R6/bin/xauth"}
                    ),
                ),
            ),
            "No xauth program; cannot forward X11.",
        ),
        "sshd-xauthlocation",
        "/usr/X11R6/bin/xauth",
        "ln -s /usr/bin/xauth /usr/X11R6/bin/xauth",
    ),
    "sshd's own files are broken": Case(
        lambda: refused(
            with_remote(
                healthy(),
                sshd=replace(
                    healthy().there.sshd,
                    effective=Unknown("sshd -T failed"),
                    files=Unknown("not read"),
                    problem=f"{MAIN}: line 7: Bad configuration option: X11Forward",
                ),
            )
        ),
        "sshd-config-syntax",
        "line 7",
        "sshd -t",
    ),
    "no home": Case(lambda: home(exists=False), "home-missing", "/home/ana", "mkhomedir_helper ana"),
    "a full home": Case(
        lambda: home(writable=False, full=True, problem="No space left on device"),
        "home-full-or-quota",
        "No space",
    ),
    "a read-only home": Case(
        lambda: home(writable=False, problem="Read-only file system"), "home-read-only", "Read-only"
    ),
    "an authority file that is a directory": Case(
        lambda: authority(is_directory=True), "xauthority-is-a-directory", "20 s", "mv /home/ana/.Xauthority"
    ),
    "root's authority file": Case(
        lambda: authority(owner="root", writable=False), "xauthority-owned-by-root", "owner root", "mv "
    ),
    "a stale lock": Case(
        lambda: authority(locks=("/home/ana/.Xauthority-c",)),
        "xauthority-stale-lock",
        ".Xauthority-c",
        "rm -f /home/ana/.Xauthority-c",
    ),
    "an ssh rc": Case(
        lambda: with_remote(healthy(), ssh_rc="/home/ana/.ssh/rc", remote_handshake="wrong authentication"),
        "ssh-rc-eats-cookie",
        "/home/ana/.ssh/rc",
    ),
    "XAUTHORITY moved by a login file": Case(
        lambda: with_remote(
            healthy(),
            login_environment=MappingProxyType({"DISPLAY": "localhost:10.0", "XAUTHORITY": "/run/vnc"}),
            remote_handshake="the connection was closed without an answer",
        ),
        "xauthority-env-override",
        "/run/vnc",
        "grep -n XAUTHORITY",
    ),
    "DISPLAY overwritten by a login file": Case(
        lambda: with_remote(
            healthy(),
            login_environment=MappingProxyType({"DISPLAY": ":0"}),
            remote_handshake="no such display",
        ),
        "start-file-overwrites-display",
        "SSH_CONNECTION",
        "grep -n DISPLAY",
    ),
    "a display that does not lead here": Case(
        lambda: with_remote(healthy(), remote_handshake="Connection refused"),
        "remote-display-dead",
        "refused",
    ),
    "no Python": Case(
        lambda: with_remote(healthy(), pythons=()), "python-missing", "python3", "x11fwd setup ana@gpu1"
    ),
    "a Python that cannot be run": Case(
        lambda: with_python(
            healthy(),
            problem="there is no program /opt/py",
            tkinter=Unknown("it cannot be run"),
            matplotlib=Unknown("it cannot be run"),
        ),
        "python-missing",
        "/opt/py",
    ),
    "no Tk for the distribution's Python": Case(
        no_tk, "tk-missing-distro-python", "No module named 'tkinter'", "x11fwd setup ana@gpu1"
    ),
    "no Tk for a venv of the distribution's Python": Case(
        lambda: no_tk(kind=PythonKind.VENV, prefix="/home/ana/env"), "tk-missing-distro-python"
    ),
    "no Tk for a Python built by pyenv": Case(
        lambda: no_tk(kind=PythonKind.PYENV, prefix="/home/ana/.pyenv/x", base_prefix="/home/ana/.pyenv/x"),
        "tk-missing-built-python",
        "",
        "pip install PyQt6",
    ),
    "no Tk for uv's Python": Case(
        lambda: no_tk(kind=PythonKind.VENV, base_prefix="/home/ana/.local/share/uv/python/cpython-3.11"),
        "tk-uv-standalone",
        "",
        "uv python install --reinstall 3.11",
    ),
    "no libX11": Case(
        lambda: with_matplotlib(
            with_python(healthy(), tkinter=None, tkinter_problem="ImportError: libX11.so.6: cannot open"),
            backend="agg",
        ),
        "libx11-missing",
        "libX11.so.6",
    ),
    "no matplotlib": Case(
        lambda: with_python(
            healthy(), matplotlib=MatplotlibFacts(None, problem="No module named 'matplotlib'")
        ),
        "mpl-missing",
        "No module named",
        "x11fwd setup ana@gpu1",
    ),
    "a broken matplotlib": Case(
        lambda: with_python(
            healthy(), matplotlib=MatplotlibFacts(None, problem="ImportError: numpy.core.multiarray")
        ),
        "mpl-broken",
        "numpy",
    ),
    "Qt asked for and missing": Case(
        lambda: by_file("QtAgg"), "qt-binding-missing", "PyQt6", "x11fwd setup --playbook qt ana@gpu1"
    ),
    "MPLBACKEND of a notebook": Case(
        lambda: by_variable("module://matplotlib_inline.backend_inline"),
        "mpl-mplbackend-from-ide",
        "module://",
    ),
    "a misspelt backend": Case(lambda: by_file("TkAg"), "mpl-backend-typo", "did you mean TkAgg?"),
    "MPLBACKEND=Agg": Case(
        lambda: by_variable("Agg"), "mpl-mplbackend-wins", "$MPLBACKEND=Agg", "grep -n MPLBACKEND"
    ),
    "a matplotlibrc that says Agg": Case(
        lambda: by_file("Agg"), "mpl-rc-not-interactive", f"{RC}:3", "x11fwd setup ana@gpu1"
    ),
    "Agg for no reason that is known": Case(
        lambda: with_matplotlib(healthy(), backend="agg", backend_wish=None), "mpl-backend-not-interactive"
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_cause_is_named_with_what_was_seen_and_what_to_type(name: str) -> None:
    case = CASES[name]
    findings = diagnose(case.seen())
    cause = next((finding for finding in findings if finding.id == root_cause(findings)), None)
    assert cause is not None, "no cause was found"
    assert cause.id == case.cause
    assert case.evidence in cause.evidence
    assert case.fix in (cause.fix.command if cause.fix else "")


@pytest.mark.parametrize("name", CASES)
def test_one_fault_leaves_one_finding_unexplained(name: str) -> None:
    findings = diagnose(CASES[name].seen())
    alone = [one.id for one in findings if one.status is Status.FAIL and one.cause is None]
    assert alone == [CASES[name].cause]


@pytest.mark.parametrize("name", CASES)
def test_a_fault_fails_the_command(name: str) -> None:
    assert exit_code(diagnose(CASES[name].seen())) == (3 if name == "no connection" else 1)


def test_two_independent_faults_are_both_named_and_the_first_link_is_the_cause() -> None:
    findings = diagnose(bare())
    alone = [one.id for one in findings if one.status is Status.FAIL and one.cause is None]
    assert alone == [
        "sshd-x11forwarding-no",
        "remote-xauth-missing",
        "tk-missing-distro-python",
        "mpl-missing",
    ]
    assert root_cause(findings) == "sshd-x11forwarding-no"


def test_a_dead_local_display_explains_what_the_remote_lacks_but_not_a_missing_tk() -> None:
    seen = with_python(no_display(healthy()), tkinter=None)
    alone = [one.id for one in diagnose(seen) if one.status is Status.FAIL and one.cause is None]
    assert alone == ["local-display-unset", "tk-missing-distro-python"]


def test_what_only_root_may_ask_is_unknown_and_fails_nothing_while_x11_works() -> None:
    seen = with_remote(
        healthy(),
        sshd=replace(healthy().there.sshd, files=Unknown("root only"), effective=Unknown("root only")),
    )
    assert exit_code(diagnose(seen)) == 0


def test_a_refusal_without_any_reason_is_itself_the_cause_and_says_what_would_settle_it() -> None:
    seen = with_files(healthy(), {}, Unknown("only root may ask sshd"))
    seen = with_remote(seen, sshd=replace(seen.there.sshd, files=Unknown("only root may read them")))
    findings = {one.id: one for one in diagnose(seen)}
    assert root_cause(tuple(findings.values())) == "x11-request-refused"
    asked = findings["sshd-x11forwarding-no"]
    assert asked.status is Status.UNKNOWN
    assert "sudo sshd -T -C user=ana" in asked.evidence
    assert exit_code(findings.values()) == 1


def test_unknown_is_not_absent() -> None:
    seen = with_python(healthy(), tkinter=Unknown("the probe was cut short"))
    found = {one.id: one for one in diagnose(seen)}["tk-missing-distro-python"]
    assert (found.status, found.evidence) == (Status.UNKNOWN, "the probe was cut short")


def test_a_display_that_x11fwd_found_itself_is_a_warning_with_the_line_to_type() -> None:
    findings = diagnose(with_local(healthy(), display=None))
    found = {one.id: one for one in findings}["local-display-unset"]
    assert found.status is Status.WARN
    assert found.fix is not None
    assert found.fix.command == "export DISPLAY=:0"
    assert exit_code(findings) == 0


def test_an_x_server_without_access_control_needs_neither_cookie_nor_xauth() -> None:
    findings = diagnose(with_local(healthy(), has_cookie=False, xauth=XauthFacts(None)))
    assert exit_code(findings) == 0


def test_a_missing_tk_does_not_matter_where_qt_draws() -> None:
    seen = with_python(healthy(), tkinter=None, qt="PyQt5 5.15.9")
    seen = with_matplotlib(seen, backend="QtAgg", backend_wish=None)
    assert exit_code(diagnose(seen)) == 0


def test_a_user_who_is_not_in_the_group_is_not_stopped_by_its_match_block() -> None:
    files = {MAIN: "X11Forwarding yes\nMatch Group students\n  X11Forwarding no\n"}
    seen = with_files(healthy(), files, Unknown("only root may ask"))
    findings = {one.id: one for one in diagnose(with_remote(seen, groups=("staff",)))}
    assert findings["sshd-match-block"].status is Status.PASS
    findings = {one.id: one for one in diagnose(with_remote(seen, groups=("students",)))}
    assert findings["sshd-match-block"].status is Status.FAIL


def test_show_that_does_not_wait_is_a_warning() -> None:
    findings = diagnose(with_matplotlib(healthy(), interactive=True))
    assert {one.id for one in findings if one.status is Status.WARN} == {"mpl-interactive-true"}


def test_broken_files_are_a_warning_while_the_running_sshd_still_has_the_old_ones() -> None:
    seen = with_remote(healthy(), sshd=replace(healthy().there.sshd, problem="line 7: Bad"))
    findings = diagnose(seen)
    assert {one.id for one in findings if one.status is Status.WARN} == {"sshd-config-syntax"}
    assert exit_code(findings) == 0


def test_webagg_opens_no_x11_window() -> None:
    assert root_cause(diagnose(by_file("WebAgg"))) == "mpl-rc-not-interactive"


def test_the_running_daemon_is_believed_more_than_its_files() -> None:
    seen = with_remote(
        healthy(), sshd=replace(healthy().there.sshd, effective=MappingProxyType({"x11forwarding": "no"}))
    )
    assert exit_code(diagnose(seen)) == 0


def test_files_that_say_yes_and_a_daemon_that_says_no_raise_the_question_of_a_reload() -> None:
    findings = {one.id: one for one in diagnose(refused(healthy()))}
    assert findings["sshd-not-reloaded"].status is Status.UNKNOWN
    assert root_cause(tuple(findings.values())) == "x11-request-refused"


def test_a_hostile_path_is_quoted_in_the_command_to_type() -> None:
    seen = authority(path="/home/ana/x; rm -rf ~", is_directory=True)
    cause = {one.id: one for one in diagnose(seen)}["xauthority-is-a-directory"]
    assert cause.fix is not None
    assert cause.fix.by is FixBy.YOU
    import shlex

    outer = shlex.split(cause.fix.command)
    assert outer[:2] == ["ssh", "ana@gpu1"]
    assert shlex.split(outer[2])[1] == "/home/ana/x; rm -rf ~"


def test_the_facts_of_the_tests_are_themselves_healthy() -> None:
    assert exit_code(diagnose(made.healthy())) == 0
