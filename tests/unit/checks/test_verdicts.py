"""Several things at once, and what is no fault: which finding is the cause, and which is not said at all."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

from tests.unit.checks import seen as made
from tests.unit.checks.broken import authority, by_file, no_display
from tests.unit.checks.seen import (
    MAIN,
    bare,
    healthy,
    refused,
    with_files,
    with_local,
    with_matplotlib,
    with_python,
    with_remote,
)
from x11fwd.checks import diagnose, exit_code, root_cause
from x11fwd.checks.report import FixBy, Status
from x11fwd.facts.model import Unknown, XauthFacts


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
