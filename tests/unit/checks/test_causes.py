"""One broken thing at a time: which cause is named, what was seen, and what to type."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import pytest

from tests.unit.checks.seen import (
    MAIN,
    healthy,
    refused,
    with_files,
    with_local,
    with_matplotlib,
    with_python,
    with_remote,
)
from x11fwd.checks import diagnose, exit_code, root_cause
from x11fwd.checks.check import Seen
from x11fwd.checks.report import Status
from x11fwd.facts.model import MatplotlibFacts, PythonKind, SystemFacts, Unknown, XauthFacts
from x11fwd.x11.client import HandshakeStatus

if TYPE_CHECKING:
    from collections.abc import Callable
from tests.unit.checks.broken import (
    DROPIN,
    INCLUDE,
    RC,
    authority,
    by_file,
    by_variable,
    home,
    no_display,
    no_tk,
    not_let_in,
    tcp_refused,
    with_display,
)


@dataclass(frozen=True)
class Case:
    """What is broken, the cause that has to be named, words of its evidence, and words of its fix."""

    seen: Callable[[], Seen]
    cause: str
    evidence: str = ""
    fix: str = ""


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
