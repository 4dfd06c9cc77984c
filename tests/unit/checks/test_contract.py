"""Promises about the table of checks: ids, order, needs, and that nothing warns without a reason."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from tests.unit.checks.seen import bare, healthy, with_remote
from x11fwd.checks import CHECKS, SHOWN, diagnose, exit_code, root_cause
from x11fwd.checks.check import Check, Seen
from x11fwd.checks.diagnosis import explaining, run_checks
from x11fwd.checks.report import Side, Status
from x11fwd.facts.account import AccountFacts

IDS = [check.id for check in CHECKS]


def test_every_id_is_unique_and_kebab_case() -> None:
    assert len(set(IDS)) == len(IDS)
    assert [one for one in IDS if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", one)] == []


def test_every_need_names_a_check() -> None:
    assert {need for check in CHECKS for need in check.needs if isinstance(need, str)} <= set(IDS)


def test_no_check_needs_itself_even_over_several_steps() -> None:
    needs = explaining(CHECKS)

    def reach(start: str, seen: set[str]) -> set[str]:
        for need in needs[start]:
            if need not in seen:
                reach(need, seen | {need}) if need != start else pytest.fail(f"{start} needs itself")
                seen.add(need)
        return seen

    for one in IDS:
        assert one not in reach(one, set()), one


def test_the_table_runs_from_this_machine_over_the_connection_to_the_remote() -> None:
    order = [Side.LOCAL, Side.LINK, Side.REMOTE]
    places = [order.index(check.side) for check in CHECKS]
    assert places == sorted(places)


def test_a_healthy_pair_yields_no_warning_and_leaves_nothing_unknown() -> None:
    findings = diagnose(healthy())
    assert {finding.status for finding in findings} <= {Status.PASS, Status.SKIP}
    assert root_cause(findings) is None
    assert exit_code(findings) == 0


def test_every_check_says_something_in_one_line_and_without_a_full_stop() -> None:
    for seen in (healthy(), bare()):
        for finding in diagnose(seen):
            assert finding.title, finding.id
            assert "\n" not in finding.title, finding.id
            assert not finding.title.endswith("."), finding.id


def test_every_shown_claim_is_said_of_a_healthy_pair() -> None:
    cluster = with_remote(healthy(), account=AccountFacts((), slurm_flags="Contain,X11"))
    passed = {finding.id for finding in diagnose(cluster) if finding.status is Status.PASS}
    assert passed >= SHOWN


def test_a_check_that_crashes_becomes_unknown_and_the_others_still_run() -> None:
    def crash(_seen: Seen) -> object:
        raise ValueError("boom")

    broken = [replace(CHECKS[0], look=crash), *CHECKS[1:]]  # type: ignore[arg-type]
    findings = run_checks(broken, healthy())
    assert findings[0].status is Status.UNKNOWN
    assert "ValueError: boom" in findings[0].evidence
    assert len(findings) == len(CHECKS)
    assert exit_code(findings) == 0


def test_a_check_without_a_remote_is_skipped_not_failed() -> None:
    findings = diagnose(
        Seen(healthy().local, None, host="gpu1", target="ana@gpu1", connected=False, refusal="no")
    )
    beyond = [finding for finding in findings if finding.side is Side.REMOTE]
    assert {finding.status for finding in beyond} == {Status.SKIP}


def test_without_a_target_only_this_machine_is_judged() -> None:
    findings = diagnose(Seen(healthy().local))
    assert {finding.side for finding in findings} == {Side.LOCAL}


def test_adding_a_check_is_one_function_and_one_row() -> None:
    from x11fwd.checks.check import bad

    row = Check("made-up", Side.LOCAL, lambda _seen: bad("made up"))
    assert run_checks([row], healthy())[0].title == "made up"
