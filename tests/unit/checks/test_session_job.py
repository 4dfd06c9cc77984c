"""Jobs of Slurm: what is said depends on what the site forwards, and on why the display is not reached."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import pytest

from tests.unit.checks.seen import healthy, with_remote
from tests.unit.checks.test_session import BASH, DEAD, SSHD, above, inside
from x11fwd.checks import diagnose, root_cause
from x11fwd.checks.report import Finding, FixBy, Status
from x11fwd.facts.account import AccountFacts
from x11fwd.facts.network import Listener
from x11fwd.facts.unknown import Unknown

STEPD = (BASH, above("slurmstepd", "batch", 0))
WITH, WITHOUT = "Alloc,Contain,X11", "(null)"


def job(
    flags: str | Unknown | None, *, display: str = "localhost:11.0", shake: str = DEAD
) -> tuple[Finding, ...]:
    """What doctor finds in a job on gpu1 that was submitted on login1."""
    seen = inside(*STEPD, display=display, shake=shake, job="Slurm", submit_host="login1")
    account = replace(seen.there.account, slurm_flags=flags)
    return diagnose(with_remote(seen, account=account))


def cause(findings: tuple[Finding, ...]) -> Finding:
    found = next((one for one in findings if one.id == root_cause(findings)), None)
    assert found is not None
    return found


def command(finding: Finding) -> str:
    assert finding.fix is not None
    return finding.fix.command


@pytest.mark.parametrize("display", ["", "localhost:11.0"])
@pytest.mark.parametrize(
    ("flags", "way"),
    [
        (WITH, "srun --x11 --pty bash"),
        (WITHOUT, "x11fwd ssh --nodes login1"),
        (Unknown("Slurm does not answer"), "srun --x11 --pty bash"),
    ],
)
def test_a_job_is_not_sent_where_the_site_refuses(flags: str | Unknown, way: str, display: str) -> None:
    found = cause(job(flags, display=display))
    assert found.id == ("batch-inherits-display" if display else "slurm-no-x11")
    assert command(found) == way
    assert ("forwards no X11" in found.evidence) is (flags == WITHOUT)


@pytest.mark.parametrize(
    ("answer", "title", "way"),
    [
        ("Name or service not known", "does not know the name login1", "x11fwd ssh --nodes=ADDRESS login1"),
        ("Temporary failure in name resolution", "does not know", "x11fwd ssh --nodes=ADDRESS login1"),
        ("Name does not resolve", "does not know the name", "x11fwd ssh --nodes=ADDRESS login1"),
        ("Connection refused", "no longer there, or gpu1 takes another", "x11fwd ssh --nodes login1"),
        ("No route to host", "does not get through to login1", "x11fwd ssh -J login1 gpu1"),
        ("timed out", "does not get through to login1", "x11fwd ssh -J login1 gpu1"),
    ],
)
def test_a_display_of_the_login_node_that_is_not_reached(answer: str, title: str, way: str) -> None:
    found = cause(job(WITHOUT, display="login1:11.0", shake=f"connect login1 port 6011: {answer}"))
    assert found.id == "batch-inherits-display"
    assert title in found.title
    assert found.evidence.startswith(f"DISPLAY=login1:11.0: connect login1 port 6011: {answer}; ")
    assert command(found) == way
    assert found.fix is not None
    assert found.fix.by is FixBy.X11FWD


def test_behind_a_firewall_slurms_own_way_is_better_where_there_is_one() -> None:
    found = cause(job(WITH, display="login1:11.0", shake="connect login1 port 6011: timed out"))
    assert "TCP port 6011 of login1" in found.evidence
    assert command(found) == "srun --x11 --pty bash"


@pytest.mark.parametrize("flags", [WITH, WITHOUT])
def test_a_job_whose_windows_come_needs_no_advice(flags: str) -> None:
    findings = job(flags, display="login1:11.0", shake="ok")
    assert root_cause(findings) is None
    found = next(one for one in findings if one.id == "slurm-no-x11")
    assert (found.status, found.fix) == (Status.PASS, None)
    assert f"PrologFlags = {flags}" in found.evidence


def test_a_session_that_lets_the_nodes_in_needs_none_either() -> None:
    """And its listener on every address is not sshd's, which has been told nothing of the kind."""
    wide = (Listener("0.0.0.0", 6011, 1000),)
    seen = inside(BASH, *SSHD, display="gpu1:11.0", shake="ok", start="gpu1:11.0", listeners=wide)
    environment = {"DISPLAY": "gpu1:11.0", "XAUTHORITY": "/home/ana/.cache/x11fwd/authority-gpu1-11"}
    seen = with_remote(seen, start_environment=MappingProxyType(environment))
    findings = diagnose(with_remote(seen, account=AccountFacts((), slurm_flags=WITHOUT)))
    assert root_cause(findings) is None
    assert next(one for one in findings if one.id == "slurm-no-x11").status is Status.PASS


def test_a_slurm_that_does_not_answer_is_not_one_that_refuses() -> None:
    seen = with_remote(healthy(), account=AccountFacts((), slurm_flags=Unknown("Slurm does not answer")))
    found = next(one for one in diagnose(seen) if one.id == "slurm-no-x11")
    assert (found.status, found.evidence) == (Status.UNKNOWN, "Slurm does not answer")
