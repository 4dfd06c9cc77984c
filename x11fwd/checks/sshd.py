"""What sshd on the remote allows, and which line of which file says so; section C of the catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from shlex import quote

from x11fwd.checks.check import Seen, Unanswered, Verdict, bad, fine, skip, unknown
from x11fwd.checks.connection import KEY_OPTIONS, NO_XAUTH, said
from x11fwd.checks.report import Fix, FixBy
from x11fwd.checks.sshd_lines import Line, lines_about
from x11fwd.facts.model import SshdFacts, Unknown

_DEFAULT = "no"  # sshd_config(5), X11Forwarding


@dataclass(frozen=True)
class _Forwarding:
    """X11Forwarding for this user: its value, and the lines that speak of it (None: not readable)."""

    value: str
    lines: tuple[Line, ...] | None

    @property
    def outside(self) -> tuple[Line, ...]:
        return tuple(line for line in self.lines or () if line.match is None)

    @property
    def inside(self) -> tuple[Line, ...]:
        return tuple(line for line in self.lines or () if line.match is not None)

    @property
    def general(self) -> str:
        """The value outside of all Match blocks."""
        return self.outside[0].value if self.outside else _DEFAULT

    @property
    def decider(self) -> Line | None:
        """The line that gives this user the value, None for sshd's own default."""
        if self.general == self.value:
            return self.outside[0] if self.outside else None
        return next((line for line in self.inside if line.value == self.value), None)


def _forwarding(seen: Seen) -> _Forwarding:
    """X11Forwarding as sshd would have it for this user; from sshd itself, else from its files.

    Raises:
        Unanswered: neither answers, or the answer does not matter because X11 was granted.
    """
    sshd = seen.there.sshd
    x11 = seen.there.x11
    if x11.granted or said(seen, NO_XAUTH):
        # session_setup_x11fwd looks for xauth only after it has found X11Forwarding yes
        raise Unanswered(fine(f"sshd on {seen.host} allows X11 forwarding"))
    lines = lines_about("x11forwarding", sshd)
    if isinstance(sshd.effective, Mapping):
        value = sshd.effective.get("x11forwarding")
        if value is not None:
            return _Forwarding(value.lower(), lines)
    elif lines is not None and not any(line.match for line in lines):
        # without a Match block about it the files alone decide
        return _Forwarding(lines[0].value if lines else _DEFAULT, lines)
    reason = sshd.effective.reason if isinstance(sshd.effective, Unknown) else "sshd -T did not say"
    raise Unanswered(
        unknown(
            f"whether sshd on {seen.host} allows X11 forwarding",
            f"{reason}; settled by: sudo sshd -T -C user={seen.there.user},host=,addr= | grep -i x11",
        )
    )


def forwarding_off(seen: Seen) -> Verdict:
    """F49: X11Forwarding no, in the main file, in a drop-in, or by default."""
    found = _forwarding(seen)
    if found.value == "yes":
        return fine(f"sshd on {seen.host} allows X11 forwarding", str(found.decider or "sshd -T"))
    if found.lines is None:
        evidence = "sshd -T says x11forwarding no"
    else:
        evidence = str(found.decider or "no file sets X11Forwarding, and sshd's default is no")
    return bad(f"sshd on {seen.host} has X11 forwarding switched off", evidence, seen.setup)


def dropin_wins(seen: Seen) -> Verdict:
    """F51: sshd keeps the first value it reads, so an early drop-in beats a later line (sshd_config(5))."""
    found = _forwarding(seen)
    losers = [line for line in found.outside[1:] if line.value == "yes"]
    if found.value == "yes" or not losers or found.outside[0].value == "yes":
        return fine("no earlier line overrules X11Forwarding yes")
    first = found.outside[0]
    return bad(
        f"{first.source.file} on {seen.host} says X11Forwarding no and wins over {losers[0].source.file}",
        f"{first} is read before {losers[0]}; sshd keeps the first value",
        seen.setup,
    )


def append_lands_in_match(seen: Seen) -> Verdict:
    """F52: a line appended after a Match block belongs to that block."""
    found = _forwarding(seen)
    stray = next((line for line in found.inside if line.value == "yes"), None)
    if found.value == "yes" or stray is None or any(line.value == "yes" for line in found.outside):
        return fine("no X11Forwarding yes is lost inside a Match block")
    return bad(
        f"X11Forwarding yes on {seen.host} stands inside a Match block that is not about you",
        f"{stray}; lines after a Match belong to it until the next one",
        seen.setup,
    )


def match_block(seen: Seen) -> Verdict:
    """F50: a Match block that holds for this user or address says no."""
    found = _forwarding(seen)
    if found.value == "yes" or found.lines is None or found.general != "yes":
        return fine("no Match block takes X11 forwarding away from you")
    evidence = str(found.decider) if found.decider else "sshd -T says yes, and no for this user and address"
    return bad(f"a Match block on {seen.host} forbids X11 forwarding for you", evidence, seen.setup)


def _comment_out(line: Line, sshd: SshdFacts) -> Fix:
    """Take one line out of effect, look whether sshd still accepts its files, and only then reload."""
    binary = sshd.binary or "sshd"
    manager, name = sshd.service if isinstance(sshd.service, tuple) else ("", "")
    if manager == "systemd":
        reload = f"systemctl reload {quote(name)}"
    elif manager == "openrc":
        reload = f"rc-service {quote(name)} reload"
    else:
        reload = f"kill -HUP {name}" if manager == "pid" and name.isdigit() else "pkill -HUP -o -x sshd"
    edit = f"sudo sed -i.x11fwd-saved '{line.source.line}s/^/#/' {quote(line.source.file or '')}"
    return Fix(f"{edit} && sudo {quote(binary)} -t && sudo {reload}", FixBy.ADMIN)


def disable_forwarding(seen: Seen) -> Verdict:
    """F57: DisableForwarding yes overrules X11Forwarding yes (fixed to do so in OpenSSH 10.0)."""
    remote = seen.there
    if remote.x11.granted:
        return fine("DisableForwarding does not stand in the way")
    lines = lines_about("disableforwarding", remote.sshd) or ()
    if isinstance(remote.sshd.effective, Mapping):
        value = remote.sshd.effective.get("disableforwarding", "no")
    else:
        value = next((line.value for line in lines if line.match is None), "no")
    if value != "yes":
        return fine("DisableForwarding does not stand in the way")
    line = next((line for line in lines if line.value == "yes"), None)
    fix = None
    if line is not None:
        fix = _comment_out(line, remote.sshd)
    return bad(
        f"sshd on {seen.host} has DisableForwarding yes, which forbids X11 whatever X11Forwarding says",
        str(line or "sshd -T says disableforwarding yes"),
        fix,
    )


def xauth_missing(seen: Seen) -> Verdict:
    """F58: sshd refuses X11 where the xauth it knows is not there (session.c)."""
    remote = seen.there
    remark = said(seen, NO_XAUTH)
    if remote.xauth.path is None:
        return bad(
            f"xauth is missing on {seen.host}",
            "; ".join(one for one in (remark, "not in PATH nor in the usual places") if one),
            seen.setup,
        )
    version = f" {remote.xauth.version}" if isinstance(remote.xauth.version, str) else ""
    return fine(f"xauth{version} is installed on {seen.host}", remote.xauth.path)


def xauth_location(seen: Seen) -> Verdict:
    """F59: xauth is there, and sshd looks for it somewhere else."""
    remote = seen.there
    if remote.xauth.path is None:
        return skip(f"there is no xauth on {seen.host} that sshd could miss")
    effective = remote.sshd.effective
    named = effective.get("xauthlocation") if isinstance(effective, Mapping) else None
    remark = said(seen, NO_XAUTH)
    if remark is None and named not in {"none", ""}:
        return fine(f"sshd on {seen.host} finds xauth", named or remote.xauth.path)
    line = next(iter(lines_about("xauthlocation", remote.sshd) or ()), None)
    where = str(line) if line else f"XAuthLocation is {named}" if named else "the place built into sshd"
    fix = None
    if named and named.startswith("/"):
        fix = Fix(f"sudo ln -s {quote(remote.xauth.path)} {quote(named)}", FixBy.ADMIN)
    if line is not None:
        fix = _comment_out(line, remote.sshd)
    return bad(
        f"sshd on {seen.host} does not find xauth, which is at {remote.xauth.path}",
        "; ".join(one for one in (where, remark) if one),
        fix,
    )


def not_reloaded(seen: Seen) -> Verdict:
    """F55: sshd reads its files at start and on SIGHUP only; they say yes, the running one says no."""
    remote = seen.there
    effective = remote.sshd.effective
    if remote.x11.granted is not False or said(seen, KEY_OPTIONS, NO_XAUTH):
        return fine(f"the running sshd of {seen.host} has read its files")
    if not isinstance(effective, Mapping) or effective.get("x11forwarding") != "yes":
        return skip("sshd's files do not say yes")
    if effective.get("disableforwarding") == "yes" or remote.xauth.path is None:
        return skip("another reason is known")
    return unknown(
        f"whether the running sshd of {seen.host} has read its files: they say yes, it says no",
        "a reload settles it; other reasons that leave no trace: ::1 is missing, 1000 displays are in use",
        seen.setup,
    )
