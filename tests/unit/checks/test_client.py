"""This machine's ssh, one thing at a time: what is said of it, and what is not held against it."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import pytest

from tests.unit.checks.seen import MAIN, healthy, refused, with_files, with_local, with_remote
from x11fwd.checks import diagnose, root_cause
from x11fwd.checks.report import Finding, Status
from x11fwd.facts.client import ClientFacts, ConfigLine, MasterFacts
from x11fwd.facts.model import Unknown
from x11fwd.target import SshConfig

if TYPE_CHECKING:
    from x11fwd.checks.check import Seen

USER = "/home/ana/.ssh/config"


def line(number: int, keyword: str, value: str, block: str = "Host gpu1", file: str = USER) -> ConfigLine:
    return ConfigLine(file, number, keyword, value, block)


def client(*lines: ConfigLine, **settings: str) -> ClientFacts:
    values = {"forwardx11": "no", "forwardx11trusted": "yes", "forwardx11timeout": "1200", **settings}
    return ClientFacts(SshConfig({name: (value,) for name, value in values.items()}), lines)


def asking(facts: ClientFacts, seen: Seen | None = None) -> Seen:
    return with_local(seen or healthy(), client=facts)


def finding(seen: Seen, name: str) -> Finding:
    return next(one for one in diagnose(seen) if one.id == name)


UNTRUSTED = {"forwardx11": "yes", "forwardx11trusted": "no", "forwardx11timeout": "2073600"}


@pytest.mark.parametrize(
    "facts",
    [
        pytest.param(client(), id="Debian's ssh as it comes"),
        pytest.param(client(forwardx11trusted="no"), id="upstream's ssh as it comes"),
        pytest.param(client(line(2, "forwardx11", "yes"), forwardx11="yes"), id="X11 for this host"),
        pytest.param(client(**UNTRUSTED), id="untrusted for 24 days"),
        pytest.param(client(**{**UNTRUSTED, "forwardx11timeout": "0"}), id="untrusted without a limit"),
        pytest.param(client(loglevel="QUIET"), id="quiet, and nothing to hide"),
        pytest.param(client(line(1, "forwardx11", "no", "Host *")), id="switched off for all"),
        pytest.param(
            replace(client(), lines=Unknown("an old ssh")), id="an ssh that does not say what it reads"
        ),
        pytest.param(
            replace(client(), master=MasterFacts("/tmp/m", 7, ":0", "localhost:10.0")), id="a master with X11"
        ),
    ],
)
def test_none_of_these_is_held_against_anybody(facts: ClientFacts) -> None:
    findings = diagnose(asking(facts))
    assert root_cause(findings) is None
    assert not [one for one in findings if one.status in {Status.FAIL, Status.WARN}]


def test_an_earlier_line_that_says_no_is_named_with_the_one_that_comes_too_late() -> None:
    lines = (line(2, "forwardx11", "no", "Host *"), line(9, "forwardx11", "yes"))
    one = finding(asking(client(*lines)), "ssh-config-says-no")
    assert one.status is Status.FAIL
    assert f"{USER}:2 (Host *) says no, and ssh keeps the first value; {USER}:9 (Host gpu1) says yes" in (
        one.evidence
    )
    assert one.fix is not None
    assert one.fix.command == f"${{EDITOR:-vi}} +2 {USER}"


def test_a_yes_for_another_host_is_no_wish_for_this_one() -> None:
    lines = (line(2, "forwardx11", "no", "Host *"), replace(line(9, "forwardx11", "yes"), applies=False))
    assert finding(asking(client(*lines)), "ssh-config-says-no").status is Status.PASS


def test_a_no_on_our_own_command_line_is_meant() -> None:
    lines = (line(0, "forwardx11", "no", "", file=""), line(9, "forwardx11", "yes"))
    assert finding(asking(client(*lines)), "ssh-config-says-no").status is Status.PASS


def test_a_line_of_the_systems_file_is_edited_with_roots_rights() -> None:
    lines = (line(2, "forwardx11", "no", "Host *", "/etc/ssh/ssh_config"), line(9, "forwardx11", "yes"))
    fix = finding(asking(client(*lines)), "ssh-config-says-no").fix
    assert fix is not None
    assert fix.command.startswith("sudo ")


@pytest.mark.parametrize(
    ("seconds", "status", "words"),
    [
        ("1200", Status.WARN, "20 minutes after login"),
        ("10800", Status.WARN, "3 hours after login"),
        ("90", Status.WARN, "90 s after login"),
        ("86400", Status.PASS, ""),
        ("2073600", Status.PASS, ""),
        ("2592000", Status.WARN, "longer than an X server can count"),
        ("0", Status.PASS, ""),
    ],
)
def test_the_time_for_untrusted_windows(seconds: str, status: Status, words: str) -> None:
    one = finding(asking(client(**{**UNTRUSTED, "forwardx11timeout": seconds})), "untrusted-20-minutes")
    assert one.status is status
    assert words in one.title


def test_a_time_without_a_limit_is_not_praised() -> None:
    one = finding(asking(client(**{**UNTRUSTED, "forwardx11timeout": "0"})), "untrusted-20-minutes")
    assert "60 s after its last window" in one.evidence


def test_no_security_extension_is_a_failure_only_where_untrusted_x11_is_asked_for() -> None:
    seen = with_local(healthy(), security_extension=False)
    assert finding(asking(client(), seen), "untrusted-security-extension").status is Status.PASS
    by_hand = finding(asking(client(forwardx11trusted="no"), seen), "untrusted-security-extension")
    assert by_hand.status is Status.WARN
    asked = replace(client(**UNTRUSTED), untrusted="couldn't query Security extension")
    findings = diagnose(asking(asked, seen))
    assert root_cause(findings) == "untrusted-security-extension"
    symptom = next(one for one in findings if one.id == "untrusted-no-xauth-data")
    assert (symptom.status, symptom.cause) == (Status.FAIL, "untrusted-security-extension")


def test_a_cookie_that_cannot_be_made_for_another_reason_stands_alone() -> None:
    seen = asking(replace(client(**UNTRUSTED), untrusted="unable to open display"))
    assert root_cause(diagnose(seen)) == "untrusted-no-xauth-data"


def test_quiet_is_a_surprise_where_it_hides_a_refusal() -> None:
    seen = asking(client(line(4, "loglevel", "QUIET"), loglevel="QUIET"), refused(healthy()))
    one = finding(seen, "quiet-hides-everything")
    assert one.status is Status.WARN
    assert f"{USER}:4" in one.evidence


@pytest.mark.parametrize(
    ("master", "cause"),
    [
        (MasterFacts("/tmp/m", 7, ":0", None), "mux-master-without-x11"),
        (MasterFacts("/tmp/m", 7, Unknown("another user's"), None), "mux-master-without-x11"),
        (MasterFacts("/tmp/m", 7, ":1", "localhost:11.0"), "mux-master-other-display"),
        (MasterFacts("/tmp/m", 7, None, None), "mux-master-other-display"),
        (MasterFacts("/tmp/m", 7, ":0", Unknown("no"), "Session open refused by peer"), "mux-max-sessions"),
        (MasterFacts("/tmp/m", 7, ":0", Unknown("it did not answer")), None),
    ],
)
def test_an_open_master_is_judged_by_what_a_session_gets_through_it(
    master: MasterFacts, cause: str | None
) -> None:
    findings = diagnose(asking(replace(client(), master=master)))
    assert root_cause(findings) == cause
    assert [one.id for one in findings if one.status is Status.WARN] == ([cause] if cause else [])


@pytest.mark.parametrize(
    ("acceptenv", "status"),
    [("LANG LC_*", Status.PASS), ("LANG DISPLAY", Status.WARN), ("*", Status.WARN), (None, Status.UNKNOWN)],
)
def test_a_display_sent_as_a_variable_matters_where_sshd_takes_it(
    acceptenv: str | None, status: Status
) -> None:
    facts = client(line(3, "sendenv", "LANG DISPLAY"), sendenv="DISPLAY")
    sshd = healthy().there.sshd
    files: MappingProxyType[str, str] | Unknown = MappingProxyType({MAIN: f"AcceptEnv {acceptenv}\n"})
    if acceptenv is None:
        files = Unknown("only root may read them")
    seen = with_remote(healthy(), sshd=replace(sshd, files=files))
    one = finding(asking(facts, seen), "sendenv-display")
    assert one.status is status
    assert status is Status.PASS or f"{USER}:3" in one.evidence
    with_x11 = client(line(3, "sendenv", "LANG DISPLAY"), sendenv="DISPLAY", forwardx11="yes")
    assert finding(asking(with_x11, seen), "sendenv-display").status is Status.PASS


def test_x11_for_every_host_is_a_surprise_and_is_never_advised() -> None:
    facts = replace(client(line(1, "forwardx11", "yes", "Host *"), forwardx11="yes"), every_host=True)
    one = finding(asking(facts), "forwardx11-for-all-hosts")
    assert one.status is Status.WARN
    assert f"{USER}:1 (Host *) says yes" in one.evidence


def test_a_gateway_that_refuses_is_named_before_a_server_that_is_not_openssh() -> None:
    seen = with_remote(refused(healthy()), banner="Teleport")
    findings = diagnose(seen)
    assert root_cause(findings) == "gateway-not-passing-x11"
    under = {one.id: one.cause for one in findings if one.status is Status.FAIL}
    assert under["server-not-openssh"] == "gateway-not-passing-x11"
    other = with_remote(refused(healthy()), banner="dropbear_2022.83")
    assert root_cause(diagnose(other)) == "server-not-openssh"


def test_a_gateway_through_which_windows_come_is_nobodys_trouble() -> None:
    assert root_cause(diagnose(with_remote(healthy(), banner="Teleport"))) is None


def test_on_a_hop_plain_ssh_ends_x11_there() -> None:
    seen = with_local(healthy(), environment=MappingProxyType({"SSH_CONNECTION": "1 2 3 4"}))
    one = finding(asking(client(), seen), "jump-second-hop")
    assert one.status is Status.WARN
    assert "ssh -J" in one.evidence
    assert finding(asking(client(forwardx11="yes"), seen), "jump-second-hop").status is Status.PASS


def test_two_faults_on_both_sides_are_both_named() -> None:
    off = with_files(healthy(), {MAIN: "X11Forwarding no\n"}, "no")
    lines = (line(2, "forwardx11", "no", "Host *"), line(9, "forwardx11", "yes"))
    roots = {
        one.id for one in diagnose(asking(client(*lines), off)) if one.status is Status.FAIL and not one.cause
    }
    assert {"ssh-config-says-no", "sshd-x11forwarding-no"} <= roots
