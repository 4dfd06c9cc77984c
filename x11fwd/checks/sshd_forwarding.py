"""X11Forwarding for this user, and which line of which file decides it; section C of the catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from posixpath import basename

from x11fwd.checks.check import Seen, Unanswered, Verdict, bad, fine, skip, unknown
from x11fwd.checks.connection import NO_XAUTH, said
from x11fwd.checks.report import Status
from x11fwd.checks.sshd_lines import connection_of, lines_about, scoped, shown
from x11fwd.facts.model import Unknown
from x11fwd.facts.sshd_config import SshdLine, decide

_DEFAULT = "no"  # sshd_config(5), X11Forwarding


@dataclass(frozen=True)
class _Forwarding:
    """X11Forwarding for this user.

    Attributes:
        value: what counts in the end.
        lines: those that speak of it, in read order; None where they cannot be read.
        decider: the one that decides; None for sshd's own default, or where nobody can tell.
    """

    value: str
    lines: tuple[SshdLine, ...] | None
    decider: SshdLine | None

    @property
    def outside(self) -> tuple[SshdLine, ...]:
        return tuple(line for line in self.lines or () if not scoped(line))

    @property
    def inside(self) -> tuple[SshdLine, ...]:
        return tuple(line for line in self.lines or () if scoped(line))

    @property
    def general(self) -> str:
        """The value outside of all Match blocks."""
        return self.outside[0].value.lower() if self.outside else _DEFAULT


def _forwarding(seen: Seen) -> _Forwarding:
    """X11Forwarding as sshd would have it for this user; from sshd itself, else from its files.

    Raises:
        Unanswered: neither answers, or the answer does not matter because X11 was granted.
    """
    sshd = seen.there.sshd
    if seen.there.x11.granted or said(seen, NO_XAUTH):
        # session_setup_x11fwd looks for xauth only after it has found X11Forwarding yes
        raise Unanswered(fine(f"sshd on {seen.host} allows X11 forwarding"))
    lines = lines_about(seen, "x11forwarding")
    decision = None if lines is None else decide("x11forwarding", lines, connection_of(seen))
    line = decision.line if decision else None
    by_files = line.value.lower() if line else _DEFAULT
    value = sshd.effective.get("x11forwarding") if isinstance(sshd.effective, Mapping) else None
    if value is not None and value.lower() == by_files:
        return _Forwarding(by_files, lines, line)
    if value is not None:
        # sshd knows more than we do, such as the user's groups: a Match block that agrees with it decides
        agreeing = [one for one in lines or () if scoped(one) and one.value.lower() == value.lower()]
        return _Forwarding(value.lower(), lines, agreeing[0] if agreeing else None)
    if decision is not None and decision.certain:
        return _Forwarding(by_files, lines, line)
    reason = sshd.effective.reason if isinstance(sshd.effective, Unknown) else "sshd -T did not say"
    if decision is not None:
        reason += "; it depends on " + ", ".join(shown(one) for one in decision.doubts)
    where = sshd.connection or f"user={seen.there.user},host=ADDRESS,addr=ADDRESS"
    raise Unanswered(
        unknown(
            f"whether sshd on {seen.host} allows X11 forwarding",
            f"{reason}; settled by: sudo sshd -T -C {where} | grep -i x11",
        )
    )


def forwarding_off(seen: Seen) -> Verdict:
    """F49: X11Forwarding no, in the main file, in a drop-in, or by default."""
    found = _forwarding(seen)
    if found.value == "yes":
        return fine(
            f"sshd on {seen.host} allows X11 forwarding", shown(found.decider) if found.decider else ""
        )
    if found.lines is None:
        evidence = "sshd -T says x11forwarding no"
    else:
        default = "no file sets X11Forwarding, and sshd's default is no"
        evidence = shown(found.decider) if found.decider else default
    return bad(f"sshd on {seen.host} has X11 forwarding switched off", evidence, seen.setup)


def _switched_off(seen: Seen, holds: str) -> _Forwarding:
    """As `_forwarding`, for the checks that say why it is off.

    Raises:
        Unanswered: it is on, or nobody knows; `holds` is the claim that stands then.
    """
    try:
        found = _forwarding(seen)
    except Unanswered as answer:
        if answer.verdict.status is Status.UNKNOWN:
            raise Unanswered(skip("see sshd-x11forwarding-no")) from None
        if answer.verdict.status is Status.PASS:
            raise Unanswered(fine(holds)) from None
        raise
    if found.value == "yes":
        raise Unanswered(fine(holds))
    return found


def dropin_wins(seen: Seen) -> Verdict:
    """F51: sshd keeps the first value it reads, so an early drop-in beats a later line (sshd_config(5))."""
    holds = "no earlier line overrules X11Forwarding yes"
    found = _switched_off(seen, holds)
    losers = [line for line in found.outside[1:] if line.value.lower() == "yes"]
    if not losers or found.general == "yes":
        return fine(holds)
    first, late = found.outside[0], losers[0]
    return bad(
        f"{basename(first.file)} on {seen.host} switches X11 forwarding off; a later yes comes too late",
        f"{shown(first)} is read before {shown(late)}; sshd keeps the first value",
        seen.setup,
    )


def append_lands_in_match(seen: Seen) -> Verdict:
    """F52: a line appended after a Match block belongs to that block."""
    holds = "no X11Forwarding yes is lost inside a Match block"
    found = _switched_off(seen, holds)
    stray = next((line for line in found.inside if line.value.lower() == "yes"), None)
    if stray is None or any(line.value.lower() == "yes" for line in found.outside):
        return fine(holds)
    return bad(
        f"X11Forwarding yes on {seen.host} stands inside a Match block that is not about you",
        f"{shown(stray)}; lines after a Match belong to it until the next one",
        seen.setup,
    )


def match_block(seen: Seen) -> Verdict:
    """F50: a Match block that holds for this user or address says no."""
    holds = "no Match block takes X11 forwarding away from you"
    found = _switched_off(seen, holds)
    if found.lines is None or found.general != "yes":
        return fine(holds)
    evidence = shown(found.decider) if found.decider else "sshd -T says no for this user and address"
    return bad(f"a Match block on {seen.host} forbids X11 forwarding for you", evidence, seen.setup)
