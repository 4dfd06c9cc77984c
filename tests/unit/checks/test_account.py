"""The account's files and the machine's ways: which of them is said, and how its guard reads; F72 to F98."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import pytest

from tests.unit.checks.seen import cause_of, healthy, refused, with_python, with_remote
from x11fwd.checks import diagnose, root_cause
from x11fwd.checks.report import Status
from x11fwd.facts.account import AccountFacts, StartLine
from x11fwd.facts.model import AuthorityFile, PythonKind, SystemFacts, XauthFacts

if TYPE_CHECKING:
    from x11fwd.checks.check import Seen
    from x11fwd.checks.report import Finding

REJECTED = "the connection was closed without an answer"


def entries(*names: str, others: tuple[str, ...] = (), shake: str = REJECTED) -> Seen:
    authority = AuthorityFile(
        "/home/ana/.Xauthority",
        exists=True,
        owner="ana",
        mode=0o600,
        writable=True,
        entries=names,
        others=others,
    )
    system = replace(healthy().there.system, hostname="gpu1")
    return with_remote(healthy(), authority=authority, system=system, remote_handshake=shake)


def verdict(seen: Seen, name: str) -> Finding:
    return {one.id: one for one in diagnose(seen)}[name]


def test_an_entry_for_the_name_that_the_host_had_is_named() -> None:
    found = cause_of(diagnose(entries("old/unix:10", "gpu1/unix:11")))
    assert found is not None
    assert found.id == "hostname-changed"
    assert "called gpu1" in found.evidence
    assert "old/unix:10" in found.evidence


def test_old_entries_of_other_names_do_no_harm_beside_the_right_one() -> None:
    assert verdict(entries("old/unix:10", "gpu1/unix:10"), "hostname-changed").status is Status.PASS


@pytest.mark.parametrize(
    "other",
    [
        "#ffff##: XDM-AUTHORIZATION-1",
        "#ffff#6f6c64#:10 XDM-AUTHORIZATION-1",
        "gpu1/unix:10 XDM-AUTHORIZATION-1",
    ],
)
def test_another_protocol_is_a_failure_even_where_our_own_handshake_does_not_know_it(other: str) -> None:
    """stderr.nl, BrokenXForwarding: xdm's entry was taken first; shown with Tk in the truth table."""
    seen = entries("gpu1/unix:10", other.partition(" ")[0], others=(other,), shake="ok")
    found = cause_of(diagnose(seen))
    assert found is not None
    assert (found.id, found.status) == ("xauth-foreign-entries", Status.FAIL)


@pytest.mark.parametrize("other", ["#ffff##:11 XDM-AUTHORIZATION-1", "desk:0 XDM-AUTHORIZATION-1"])
def test_another_protocol_for_another_display_is_none_of_our_business(other: str) -> None:
    seen = entries("gpu1/unix:10", other.partition(" ")[0], others=(other,), shake="ok")
    assert root_cause(diagnose(seen)) is None


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (StartLine("/home/ana/.bashrc", 7, "DISPLAY", ":0", "export DISPLAY=:0"), Status.WARN),
        (StartLine("/home/ana/.bashrc", 7, "DISPLAY", ":0", "export DISPLAY=:0", guarded=True), Status.SKIP),
        (StartLine("/home/ana/.bashrc", 7, "DISPLAY", None, "unset DISPLAY"), Status.SKIP),
    ],
)
@pytest.mark.parametrize("start", [{}, {"DISPLAY": ":0"}])
def test_a_line_that_will_overwrite_display_is_named_beside_another_fault(
    line: StartLine, status: Status, start: dict[str, str]
) -> None:
    seen = refused(healthy(), "No xauth program; cannot forward X11.")
    seen = with_remote(
        seen,
        xauth=XauthFacts(None),
        account=AccountFacts((line,)),
        start_environment=MappingProxyType(start),
        login_environment=MappingProxyType({"DISPLAY": ":0"}),
    )
    findings = diagnose(seen)
    assert root_cause(findings) == "remote-xauth-missing"
    found = verdict(seen, "start-file-overwrites-display")
    assert (found.status, found.cause) == (status, None)


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("/home/ana/.bashrc", '[ -z "$SSH_CONNECTION" ] &&'),
        ("/etc/profile.d/x.sh", '[ -z "$SSH_CONNECTION" ] &&'),
        ("/home/ana/.config/fish/config.fish", "set -q SSH_CONNECTION; or"),
        ("/home/ana/.tcshrc", "if ( ! $?SSH_CONNECTION )"),
        ("/etc/csh.cshrc", "if ( ! $?SSH_CONNECTION )"),
        ("/etc/environment", "no conditions"),
    ],
)
def test_the_guard_is_in_the_language_of_the_file(file: str, words: str) -> None:
    line = StartLine(file, 7, "DISPLAY", ":0", "")
    seen = with_remote(
        healthy(),
        account=AccountFacts((line,)),
        login_environment=MappingProxyType({"DISPLAY": ":0"}),
        remote_handshake=REJECTED,
    )
    assert words in verdict(seen, "start-file-overwrites-display").evidence


def test_a_snap_of_python_does_not_see_the_authority_file() -> None:
    seen = with_python(healthy(), path="/snap/bin/python3", executable="/snap/python/12/bin/python3")
    assert root_cause(diagnose(seen)) is None
    found = cause_of(diagnose(with_remote(seen, remote_handshake=REJECTED)))
    assert found is not None
    assert found.id == "snap-flatpak-app"


@pytest.mark.parametrize(
    ("flags", "status"), [("Alloc,Contain,X11", Status.PASS), ("Alloc,Contain", Status.WARN)]
)
def test_a_slurm_that_forwards_no_x11_is_a_warning(flags: str, status: Status) -> None:
    seen = with_remote(healthy(), account=AccountFacts((), slurm_flags=flags))
    assert verdict(seen, "slurm-no-x11").status is status


def test_a_mac_as_the_remote_draws_on_its_own_screen() -> None:
    seen = with_remote(healthy(), system=SystemFacts("Darwin", os_id="macos", pretty_name="macOS 14.5"))
    found = verdict(seen, "remote-is-macos")
    assert found.status is Status.FAIL
    assert "macOS 14.5" in found.evidence
    conda = with_python(seen, kind=PythonKind.CONDA)
    assert verdict(conda, "remote-is-macos").status is Status.UNKNOWN


@pytest.mark.parametrize("shell", ["/usr/bin/fish", "/bin/tcsh"])
def test_a_shell_of_another_language_is_said_and_is_no_fault(shell: str) -> None:
    found = verdict(with_remote(healthy(), shell=shell), "login-shell-not-posix")
    assert found.status is Status.PASS
    assert shell in found.evidence


def test_noise_before_every_command_is_a_warning_with_the_number_that_scp_says() -> None:
    found = verdict(with_remote(healthy(), command_noise="Welcome to the cluster\n"), "noisy-start-files")
    assert found.status is Status.WARN
    assert "Received message too long 1466264675" in found.evidence


def test_another_python_without_a_login_shell_is_said() -> None:
    seen = with_remote(healthy(), account=AccountFacts((), plain_python="/opt/old/bin/python3"))
    found = verdict(seen, "no-tty-no-profile")
    assert found.status is Status.PASS
    assert "/opt/old/bin/python3 without a login shell" in found.evidence


def test_a_lock_that_somebody_holds_is_not_stale() -> None:
    authority = replace(
        entries().there.authority or AuthorityFile(""),
        locks=("/home/ana/.Xauthority-c",),
        holders=("/proc/812",),
    )
    found = verdict(with_remote(entries(), authority=authority), "xauthority-stale-lock")
    assert found.status is Status.UNKNOWN
    assert "812" in found.evidence
