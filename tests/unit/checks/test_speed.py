"""How long the first window takes, and what to type where that is too long."""

from __future__ import annotations

from tests.unit.checks.seen import healthy, with_python, with_remote
from x11fwd.checks import diagnose
from x11fwd.checks.report import Finding, FixBy, Status


def first_window(round_trip: float, version: str = "3.11.2") -> Finding:
    seen = with_remote(with_python(healthy(), version=version), round_trip=round_trip)
    return next(one for one in diagnose(seen) if one.id == "tk-256-round-trips")


def test_a_far_host_is_to_be_reached_as_our_ssh_reaches_it() -> None:
    found = first_window(0.1)
    assert found.status is Status.WARN
    assert found.title.startswith("over ssh's own forwarding the first window from gpu1 will take about 40 s")
    assert "390 answers" in found.evidence
    assert "bridge" in found.evidence
    assert found.fix is not None
    assert (found.fix.command, found.fix.by) == ("x11fwd ssh ana@gpu1", FixBy.YOU)


def test_qt_is_the_cure_where_the_bridge_cannot_run() -> None:
    found = first_window(0.1, "3.5.9")
    assert found.status is Status.WARN
    assert found.fix is not None
    assert found.fix.command == "x11fwd setup --playbook qt ana@gpu1"


def test_near_hosts_are_fine() -> None:
    assert first_window(0.002).status is Status.PASS
