"""How findings fold under their causes, and which of them is the root."""

from __future__ import annotations

from x11fwd.checks.diagnosis import fold, root_cause
from x11fwd.checks.report import Finding, Side, Status


def finding(name: str, status: Status) -> Finding:
    return Finding(name, Side.REMOTE, status, name)


def causes(findings: list[Finding], needs: dict[str, tuple[str, ...]]) -> dict[str, str | None]:
    return {one.id: one.cause for one in fold(findings, needs)}


FAIL, PASS, SKIP, UNKNOWN, WARN = Status.FAIL, Status.PASS, Status.SKIP, Status.UNKNOWN, Status.WARN


def test_a_failure_whose_need_failed_follows_from_it() -> None:
    found = [finding("a", FAIL), finding("b", FAIL)]
    assert causes(found, {"b": ("a",)}) == {"a": None, "b": "a"}


def test_the_cause_is_the_first_link_that_broke_not_the_nearest_one() -> None:
    found = [finding("a", FAIL), finding("b", FAIL), finding("c", FAIL)]
    assert causes(found, {"b": ("a",), "c": ("b",)})["c"] == "a"


def test_a_link_that_could_not_be_looked_at_is_passed_over() -> None:
    found = [finding("a", FAIL), finding("b", SKIP), finding("c", FAIL)]
    assert causes(found, {"b": ("a",), "c": ("b",)})["c"] == "a"


def test_behind_a_link_that_holds_nobody_looks() -> None:
    found = [finding("a", FAIL), finding("b", PASS), finding("c", FAIL)]
    assert causes(found, {"b": ("a",), "c": ("b",)})["c"] is None


def test_of_several_causes_the_first_in_the_chain_is_named() -> None:
    found = [finding("a", FAIL), finding("b", FAIL), finding("c", FAIL)]
    assert causes(found, {"c": ("b", "a")})["c"] == "a"


def test_a_need_may_stand_later_in_the_table() -> None:
    found = [finding("symptom", FAIL), finding("cause", FAIL)]
    folded = fold(found, {"symptom": ("cause",)})
    assert folded[0].cause == "cause"
    assert root_cause(folded) == "cause"


def test_what_holds_is_never_folded() -> None:
    found = [finding("a", FAIL), finding("b", PASS), finding("c", SKIP)]
    assert causes(found, {"b": ("a",), "c": ("a",)}) == {"a": None, "b": None, "c": None}


def test_an_unknown_behind_a_failure_follows_from_it_and_a_warning_too() -> None:
    found = [finding("a", FAIL), finding("b", UNKNOWN), finding("c", WARN)]
    assert causes(found, {"b": ("a",), "c": ("a",)}) == {"a": None, "b": "a", "c": "a"}


def test_a_warning_and_an_unknown_are_no_cause() -> None:
    found = [finding("a", WARN), finding("b", UNKNOWN), finding("c", FAIL)]
    assert causes(found, {"c": ("a", "b")})["c"] is None


def test_two_independent_faults_both_stand_and_the_first_is_the_root() -> None:
    folded = fold([finding("a", FAIL), finding("b", FAIL)], {})
    assert [one.cause for one in folded] == [None, None]
    assert root_cause(folded) == "a"


def test_needs_in_a_circle_do_not_hang() -> None:
    found = [finding("a", FAIL), finding("b", FAIL)]
    assert set(causes(found, {"a": ("b",), "b": ("a",)})) == {"a", "b"}
