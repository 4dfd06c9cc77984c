"""Section C of the catalogue: each way in which sshd keeps the display, and each reason to say nothing."""

# ruff: noqa: E501  a table is read row by row

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import pytest

from tests.unit.checks.seen import MAIN, healthy, refused, with_files, with_remote
from x11fwd.checks import diagnose, root_cause
from x11fwd.checks.report import FixBy, Status
from x11fwd.facts.account import AccountFacts
from x11fwd.facts.model import SshdFacts, Unknown, XauthFacts
from x11fwd.facts.network import Listener, NetworkFacts
from x11fwd.facts.silence import SilenceFacts
from x11fwd.transports.base import X11Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from x11fwd.checks.check import Seen
    from x11fwd.checks.report import Finding

FULL = tuple(Listener("127.0.0.1", 6000 + number, 0) for number in range(10, 1000))
FINE = NetworkFacts(
    ipv6_loopback=True,
    localhost=("127.0.0.1", "::1"),
    listeners=(Listener("127.0.0.1", 6010, 1000), Listener("::1", 6010, 1000)),
)


def found(seen: Seen, name: str) -> Finding:
    return next(one for one in diagnose(seen) if one.id == name)


def said(seen: Seen, name: str) -> tuple[Status, str, str]:
    """Status, everything that is said, and the cure."""
    one = found(seen, name)
    return one.status, f"{one.title}; {one.evidence}", one.fix.command if one.fix else ""


def with_sshd(seen: Seen, **changes: object) -> Seen:
    return with_remote(seen, sshd=replace(seen.there.sshd, **changes))  # type: ignore[arg-type]


def effective(seen: Seen, **values: str) -> Seen:
    return with_sshd(
        seen, effective=MappingProxyType({"x11forwarding": "yes", "disableforwarding": "no", **values})
    )


def lines(seen: Seen, text: str) -> Seen:
    return with_sshd(seen, files=MappingProxyType({MAIN: text}))


def imaged(**changes: object) -> Seen:
    """Its xauth is missing, and nothing can be installed."""
    seen = refused(healthy(), "No xauth program; cannot forward X11.")
    system = replace(seen.there.system, image="ostree")
    return with_remote(seen, xauth=XauthFacts(None), system=system, **changes)


def network(seen: Seen, **changes: object) -> Seen:
    return with_remote(seen, network=replace(FINE, **changes))  # type: ignore[arg-type]


def silent() -> Seen:
    """sshd said no, and no word about the reason."""
    return refused(network(healthy()))


def mute(**changes: object) -> Seen:
    """Logged in, and something else than our commands answered."""
    return replace(healthy(), remote=None, refusal="gpu1 answers oddly", silence=SilenceFacts(**changes))  # type: ignore[arg-type]


@dataclass(frozen=True)
class Case:
    """A finding, its status, words that it has to say and words of its cure."""

    id: str
    seen: Callable[[], Seen]
    status: Status
    words: str = ""
    fix: str = ""


F, W, U, P, S = Status.FAIL, Status.WARN, Status.UNKNOWN, Status.PASS, Status.SKIP
APPENDED = "line 9: Directive 'AddressFamily' is not allowed within a Match block"
KEY = "/home/ana/.ssh/authorized_keys:4: key options: command pty"
CASES = (
    # F53, F54
    Case("sshd-config-syntax", lambda: with_sshd(healthy(), problem="line 3: Bad option: X11"), W, "line 3", "sshd -t"),
    Case("sshd-config-syntax", lambda: with_sshd(silent(), problem="line 3: Bad option: X11"), F, "will not start"),
    Case("sshd-config-syntax", lambda: with_sshd(silent(), problem=APPENDED), S),
    Case("sshd-config-syntax", healthy, P),
    Case("sshd-append-breaks-daemon", lambda: with_sshd(healthy(), problem=APPENDED), W, "AddressFamily"),
    Case("sshd-append-breaks-daemon", lambda: with_sshd(silent(), problem=APPENDED), F, "Match block"),
    Case("sshd-append-breaks-daemon", healthy, P),
    # F55
    Case("sshd-not-reloaded", silent, F, "::1 is there", "sshd -t && sudo systemctl reload ssh.service"),
    Case("sshd-not-reloaded", lambda: with_remote(silent(), network=NetworkFacts()), U, "a reload settles it"),
    Case("sshd-not-reloaded", lambda: effective(silent(), x11forwarding="no"), S),
    Case("sshd-not-reloaded", lambda: effective(silent(), disableforwarding="yes"), S),
    Case("sshd-not-reloaded", lambda: refused(network(healthy()), "No xauth program; cannot forward X11."), P),
    Case("sshd-not-reloaded", healthy, P),
    Case("sshd-not-reloaded", lambda: with_sshd(silent(), service=("openrc", "sshd")), F, "", "rc-service sshd reload"),
    Case("sshd-not-reloaded", lambda: with_sshd(silent(), service=("pid", "812")), F, "", "kill -HUP 812"),
    Case("sshd-not-reloaded", lambda: with_sshd(silent(), service=("pid", "1; x")), F, "", "pkill -HUP -o -x sshd"),
    Case("sshd-not-reloaded", lambda: with_sshd(silent(), service=Unknown("-")), F, "", "pkill -HUP -o -x sshd"),
    # F57
    Case("sshd-disableforwarding", lambda: lines(effective(silent(), disableforwarding="yes"), "Port 22\nDisableForwarding yes\n"), F, f"{MAIN}:2", f"'2s/^/#/' {MAIN}"),
    Case("sshd-disableforwarding", lambda: effective(silent(), disableforwarding="yes"), F, "sshd -T says"),
    Case("sshd-disableforwarding", lambda: lines(with_sshd(silent(), effective=Unknown("-")), "DisableForwarding yes\n"), F, f"{MAIN}:1"),
    Case("sshd-disableforwarding", lambda: lines(healthy(), "DisableForwarding yes\n"), P),
    Case("sshd-disableforwarding", silent, P),
    # F58, F59
    Case("remote-xauth-missing", lambda: with_remote(refused(healthy(), "No xauth program; cannot forward X11."), xauth=XauthFacts(None)), F, "No xauth program", "x11fwd setup"),
    Case("remote-xauth-missing", lambda: imaged(pythons=healthy().there.pythons), F, "an image (ostree)", "x11fwd ssh --via bridge"),
    Case("remote-xauth-missing", lambda: imaged(pythons=()), F, "an image (ostree)", "uv python install"),
    Case("python-missing", lambda: imaged(pythons=()), F, "no python3", "uv python install"),
    Case("remote-xauth-missing", healthy, P, "/usr/bin/xauth"),
    Case("sshd-xauthlocation", lambda: lines(effective(refused(healthy(), "No xauth program"), xauthlocation="/x/xauth"), "XAuthLocation /x/xauth\n"), F, f"{MAIN}:1", "'1s/^/#/'"),
    Case("sshd-xauthlocation", lambda: effective(refused(healthy(), "No xauth program"), xauthlocation="/x/xauth"), F, "XAuthLocation is /x/xauth", "ln -s /usr/bin/xauth /x/xauth"),
    Case("sshd-xauthlocation", lambda: refused(healthy(), "No xauth program"), F, "the place built into sshd"),
    Case("sshd-xauthlocation", lambda: effective(silent(), xauthlocation="none"), F, "none"),
    Case("sshd-xauthlocation", lambda: with_sshd(silent(), xauth_found=False), F),
    Case("sshd-xauthlocation", lambda: with_remote(silent(), xauth=XauthFacts(None)), S),
    Case("sshd-xauthlocation", healthy, P),
    # F60
    Case("sshd-ipv6-off", lambda: network(silent(), ipv6_loopback=False), F, "::1 is missing", "disable_ipv6=0"),
    Case("sshd-ipv6-off", lambda: effective(network(silent(), ipv6_loopback=False), addressfamily="inet"), P),
    Case("sshd-ipv6-off", lambda: network(silent(), ipv6_loopback=None), P),
    Case("sshd-ipv6-off", lambda: network(refused(healthy(), "No xauth program"), ipv6_loopback=False), P),
    Case("sshd-ipv6-off", lambda: network(healthy(), ipv6_loopback=False), P),
    # F61
    Case("sshd-localhost-v6-only", lambda: network(healthy(), localhost=("::1",), listeners=FINE.serving(10)[:1]), F, "localhost does not mean 127.0.0.1", "/etc/hosts"),
    Case("sshd-localhost-v6-only", lambda: network(healthy(), localhost=(), listeners=FINE.serving(10)), F, "nothing at all"),
    Case("sshd-localhost-v6-only", lambda: network(healthy(), listeners=()), S),
    Case("sshd-localhost-v6-only", lambda: network(healthy(), localhost=Unknown("-")), S),
    Case("sshd-localhost-v6-only", lambda: network(silent()), S),
    Case("sshd-localhost-v6-only", lambda: network(healthy()), P),
    # F62
    Case("sshd-ports-exhausted", lambda: network(silent(), listeners=FULL), F, "6010 to 6999", "ss -ltnp"),
    Case("sshd-ports-exhausted", lambda: network(silent(), listeners=FULL[1:]), P),
    Case("sshd-ports-exhausted", lambda: effective(network(silent(), listeners=FULL[40:]), x11displayoffset="50"), F, "6050"),
    Case("sshd-ports-exhausted", lambda: network(silent(), listeners=Unknown("-")), S),
    Case("sshd-ports-exhausted", lambda: network(refused(healthy(), "No xauth program"), listeners=FULL), S),
    Case("sshd-ports-exhausted", healthy, P),
    # F63
    Case("sshd-offset-out-of-range", lambda: lines(effective(silent(), x11displayoffset="64000"), "X11DisplayOffset 64000\n"), F, f"{MAIN}:1", "'1s/^/#/'"),
    Case("sshd-offset-out-of-range", lambda: effective(silent(), x11displayoffset="64000"), F, "sshd -T says"),
    Case("sshd-offset-out-of-range", lambda: effective(healthy(), x11displayoffset="58000"), P),
    Case("sshd-offset-out-of-range", lambda: with_sshd(healthy(), effective=Unknown("-"), files=Unknown("-")), P),
    # F64, F65
    Case("sshd-uselocalhost-no-hostname", lambda: effective(network(healthy(), display_host="gpu-7f", display_host_found=False), x11uselocalhost="no"), F, "getent finds no gpu-7f"),
    Case("sshd-uselocalhost-no-hostname", lambda: effective(network(healthy(), display_host="gpu-7f", display_host_found=True), x11uselocalhost="no"), P),
    Case("sshd-uselocalhost-no-hostname", lambda: network(healthy(), display_host="gpu-7f", display_host_found=False), S),
    Case("sshd-uselocalhost-no-hostname", healthy, P),
    Case("sshd-uselocalhost-no-exposed", lambda: lines(effective(network(healthy(), listeners=(Listener("0.0.0.0", 6010, 0),)), x11uselocalhost="no"), "X11UseLocalhost no\n"), W, "it listens on 0.0.0.0:6010", "'1s/^/#/'"),
    Case("sshd-uselocalhost-no-exposed", lambda: effective(healthy(), x11uselocalhost="no"), W, "only the cookie"),
    Case("sshd-uselocalhost-no-exposed", lambda: network(healthy()), P),
    # F67, F68, F95
    Case("forced-command", lambda: mute(remarks=(KEY,), said="Fri Nov 21\n"), F, "authorized_keys:4: key options: command; it printed 'Fri Nov 21'"),
    Case("forced-command", lambda: mute(said="Welcome to the menu\n"), F, "it printed 'Welcome to the menu'", "ssh ana@gpu1 true"),
    Case("forced-command", lambda: mute(said="zsh: x", reads_stdin=True), S),
    Case("forced-command", mute, S),
    Case("forced-command", healthy, P),
    Case("no-shell-account", lambda: mute(said="This account is currently not available.\n"), F, "currently not available"),
    Case("no-shell-account", lambda: mute(said="This service allows sftp connections only.\n"), F, "sftp connections only"),
    Case("no-shell-account", lambda: mute(said="menu"), S),
    Case("no-shell-account", healthy, P),
    Case("start-file-execs-shell", lambda: mute(reads_stdin=True), F, "exec in ~/.bashrc", "ssh -t"),
    Case("start-file-execs-shell", mute, S),
    Case("start-file-execs-shell", healthy, P),
    # F71
    Case("sshd-t-needs-root", lambda: with_sshd(silent(), effective=Unknown("asking sshd needs root: x"), unreadable=(MAIN,)), U, MAIN, "sudo sshd -T -C user=ana"),
    Case("sshd-t-needs-root", lambda: with_sshd(silent(), effective=Unknown("sshd was not found")), S),
    Case("sshd-t-needs-root", lambda: with_sshd(healthy(), effective=Unknown("needs root")), P),
    Case("sshd-t-needs-root", silent, P),
)  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_the_finding_says(case: Case) -> None:
    status, words, fix = said(case.seen(), case.id)
    assert status is case.status, words
    assert case.words in words
    assert case.fix in fix


def test_of_a_healthy_host_nothing_is_said() -> None:
    assert root_cause(diagnose(network(healthy()))) is None


@pytest.mark.parametrize("version", ["8.4", "9.2", "10.0"])
def test_the_words_of_each_version_are_understood(version: str) -> None:
    """session.c: `No xauth program; cannot forward X11.` since 7.7, with spoofing before; 10.0 says the same."""
    remark = "No xauth program; cannot forward X11."
    seen = with_sshd(refused(network(healthy()), remark), version=f"OpenSSH_{version}p1")
    assert root_cause(diagnose(with_remote(seen, xauth=XauthFacts(None)))) == "remote-xauth-missing"
    keyed = refused(network(healthy()), "X11 forwarding disabled by key options.")
    assert root_cause(diagnose(with_sshd(keyed, version=f"OpenSSH_{version}p1"))) == "key-no-x11"


def selinux(
    *contexts: str, nfs: bool | None = None, answer: str | Unknown | None = "Authorization required"
) -> Seen:
    account = AccountFacts(start_lines=(), selinux=contexts or None, selinux_nfs_homes=nfs)
    return with_remote(network(healthy()), account=account, remote_handshake=answer)


HOME = "unconfined_u:object_r:user_home_dir_t:s0 /home/ana"
COOKIES = "unconfined_u:object_r:{}:s0 /home/ana/.Xauthority"
NFS = "system_u:object_r:nfs_t:s0 /home/ana"
ELSEWHERE = "unconfined_u:object_r:default_t:s0 /home/ana"


def test_labels_that_keep_xauth_out_are_named() -> None:
    name = "selinux-blocks-xauth"
    assert root_cause(diagnose(selinux(NFS, nfs=False))) == name
    assert said(selinux(NFS, nfs=False), name)[2] == "sudo setsebool -P use_nfs_home_dirs on"
    assert said(selinux(ELSEWHERE), name)[2] == "sudo restorecon -Rv /home/ana"
    status, words, fix = said(selinux(HOME, COOKIES.format("user_home_t")), name)
    assert status is F
    assert "user_home_t" in words
    assert "restorecon -v /home/ana/.Xauthority" in fix
    moved = selinux("unconfined_u:object_r:default_t:s0 /data/home/ana")
    moved = with_remote(moved, home=replace(moved.there.home, path="/data/home/ana"))
    assert "semanage fcontext -a -e /home /data/home" in said(moved, name)[2]
    assert found(moved, name).fix.by is FixBy.ADMIN  # type: ignore[union-attr]


def test_selinux_is_not_blamed_for_what_works_or_was_never_granted() -> None:
    name = "selinux-blocks-xauth"
    for seen, status in (
        (selinux(), P),
        (selinux(NFS, nfs=True), P),
        (selinux(NFS, nfs=False, answer="ok"), P),
        (selinux(NFS, nfs=False, answer=None), S),
        (selinux(NFS, nfs=False, answer=Unknown("-")), S),
        (selinux(HOME, COOKIES.format("xauth_home_t")), P),
        (with_remote(selinux(NFS, nfs=False), x11=X11Outcome(True, False)), S),
    ):
        assert found(seen, name).status is status


def test_sshd_facts_that_nobody_could_ask_are_no_failure() -> None:
    seen = with_remote(healthy(), sshd=SshdFacts(None, Unknown("no banner")), network=NetworkFacts())
    section = {case.id for case in CASES} | {"selinux-blocks-xauth"}
    assert [one.id for one in diagnose(seen) if one.id in section and one.status in {F, W}] == []


def test_files_that_say_no_are_not_called_unread() -> None:
    assert root_cause(diagnose(with_files(network(healthy()), {MAIN: "X11Forwarding no\n"}, "no"))) == (
        "sshd-x11forwarding-no"
    )
