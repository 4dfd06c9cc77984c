"""What sshd on the remote allows, and which line of which file says so; section C of the catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from posixpath import basename
from shlex import quote

from x11fwd.checks.check import Seen, Unanswered, Verdict, bad, fine, odd, skip, unknown
from x11fwd.checks.connection import KEY_OPTIONS, NO_XAUTH, said
from x11fwd.checks.report import Fix, FixBy, Status
from x11fwd.facts.model import SshdFacts, Unknown
from x11fwd.facts.sshd_config import Connection, SshdLine, decide, read_lines

_DEFAULT = "no"  # sshd_config(5), X11Forwarding
_MAIN = "/etc/ssh/sshd_config"


def _lines(seen: Seen, keyword: str) -> tuple[SshdLine, ...] | None:
    """Every line about `keyword`, in the order in which sshd reads them; None where they cannot be read."""
    sshd = seen.there.sshd
    if not isinstance(sshd.files, Mapping):
        return None
    main = sshd.config_file if isinstance(sshd.config_file, str) else _MAIN
    lines = read_lines(main, sshd.files, sshd.globs or None)
    return tuple(line for line in lines if line.keyword == keyword)


def _connection(seen: Seen) -> Connection:
    """What Match blocks would look at; SSH_CONNECTION is "client port server port" (ssh(1), ENVIRONMENT)."""
    remote = seen.there
    words = remote.start_environment.get("SSH_CONNECTION", "").split()
    known = words if len(words) == 4 and words[3].isdigit() else None
    return Connection(
        user=remote.user,
        groups=remote.groups or None,
        address=known[0] if known else None,
        local_address=known[2] if known else None,
        local_port=int(known[3]) if known else None,
    )


def _shown(line: SshdLine) -> str:
    inside = f" (inside Match {' / '.join(line.matches)})" if _scoped(line) else ""
    return f"{line}: {line.text}{inside}"


def _scoped(line: SshdLine) -> bool:
    """True inside a Match block that is not about everybody."""
    return any(one.lower() != "all" for one in line.matches)


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
        return tuple(line for line in self.lines or () if not _scoped(line))

    @property
    def inside(self) -> tuple[SshdLine, ...]:
        return tuple(line for line in self.lines or () if _scoped(line))

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
    lines = _lines(seen, "x11forwarding")
    decision = None if lines is None else decide("x11forwarding", lines, _connection(seen))
    line = decision.line if decision else None
    by_files = line.value.lower() if line else _DEFAULT
    value = sshd.effective.get("x11forwarding") if isinstance(sshd.effective, Mapping) else None
    if value is not None and value.lower() == by_files:
        return _Forwarding(by_files, lines, line)
    if value is not None:
        # sshd knows more than we do, such as the user's groups: a Match block that agrees with it decides
        agreeing = [one for one in lines or () if _scoped(one) and one.value.lower() == value.lower()]
        return _Forwarding(value.lower(), lines, agreeing[0] if agreeing else None)
    if decision is not None and decision.certain:
        return _Forwarding(by_files, lines, line)
    reason = sshd.effective.reason if isinstance(sshd.effective, Unknown) else "sshd -T did not say"
    if decision is not None:
        reason += "; it depends on " + ", ".join(_shown(one) for one in decision.doubts)
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
            f"sshd on {seen.host} allows X11 forwarding", _shown(found.decider) if found.decider else ""
        )
    if found.lines is None:
        evidence = "sshd -T says x11forwarding no"
    else:
        default = "no file sets X11Forwarding, and sshd's default is no"
        evidence = _shown(found.decider) if found.decider else default
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
        f"{_shown(first)} is read before {_shown(late)}; sshd keeps the first value",
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
        f"{_shown(stray)}; lines after a Match belong to it until the next one",
        seen.setup,
    )


def match_block(seen: Seen) -> Verdict:
    """F50: a Match block that holds for this user or address says no."""
    holds = "no Match block takes X11 forwarding away from you"
    found = _switched_off(seen, holds)
    if found.lines is None or found.general != "yes":
        return fine(holds)
    evidence = _shown(found.decider) if found.decider else "sshd -T says no for this user and address"
    return bad(f"a Match block on {seen.host} forbids X11 forwarding for you", evidence, seen.setup)


def _comment_out(line: SshdLine, sshd: SshdFacts) -> Fix:
    """Take one line out of effect, look whether sshd still accepts its files, and only then reload."""
    binary = sshd.binary or "sshd"
    manager, name = sshd.service if isinstance(sshd.service, tuple) else ("", "")
    if manager == "systemd":
        reload = f"systemctl reload {quote(name)}"
    elif manager == "openrc":
        reload = f"rc-service {quote(name)} reload"
    else:
        reload = f"kill -HUP {name}" if manager == "pid" and name.isdigit() else "pkill -HUP -o -x sshd"
    edit = f"sudo sed -i.x11fwd-saved '{line.number}s/^/#/' {quote(line.file)}"
    return Fix(f"{edit} && sudo {quote(binary)} -t && sudo {reload}", FixBy.ADMIN)


def disable_forwarding(seen: Seen) -> Verdict:
    """F57: DisableForwarding yes overrules X11Forwarding yes (fixed to do so in OpenSSH 10.0)."""
    remote = seen.there
    if remote.x11.granted:
        return fine("DisableForwarding does not stand in the way")
    lines = _lines(seen, "disableforwarding") or ()
    line = decide("disableforwarding", lines, _connection(seen)).line
    if isinstance(remote.sshd.effective, Mapping):
        value = remote.sshd.effective.get("disableforwarding", "no").lower()
    else:
        value = line.value.lower() if line else "no"
    if value != "yes":
        return fine("DisableForwarding does not stand in the way")
    line = next((one for one in lines if one.value.lower() == "yes"), None)
    fix = None
    if line is not None:
        fix = _comment_out(line, remote.sshd)
    return bad(
        f"sshd on {seen.host} has DisableForwarding yes, which forbids X11 whatever X11Forwarding says",
        _shown(line) if line else "sshd -T says disableforwarding yes",
        fix,
    )


def xauth_missing(seen: Seen) -> Verdict:
    """F58: sshd refuses X11 where the xauth it knows is not there (session.c)."""
    remote = seen.there
    remark = said(seen, NO_XAUTH)
    if remote.xauth.path is None:
        return bad(
            f"xauth is missing on {seen.host}",
            "; ".join(one.rstrip(".") for one in (remark, "not in PATH nor in the usual places") if one),
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
    if remark is None and named not in {"none", ""} and remote.sshd.xauth_found is not False:
        return fine(f"sshd on {seen.host} finds xauth", named or remote.xauth.path)
    line = next(iter(_lines(seen, "xauthlocation") or ()), None)
    where = _shown(line) if line else f"XAuthLocation is {named}" if named else "the place built into sshd"
    fix = None
    if named and named.startswith("/"):
        fix = Fix(f"sudo ln -s {quote(remote.xauth.path)} {quote(named)}", FixBy.ADMIN)
    if line is not None:
        fix = _comment_out(line, remote.sshd)
    return bad(
        f"sshd on {seen.host} does not find xauth, which is at {remote.xauth.path}",
        "; ".join(one.rstrip(".") for one in (where, remark) if one),
        fix,
    )


def config_syntax(seen: Seen) -> Verdict:
    """F54: sshd reads its files afresh for `-T`; the running one may still have the old, good ones."""
    problem = seen.there.sshd.problem
    if not problem:
        return fine(f"sshd on {seen.host} accepts its files")
    title = f"sshd on {seen.host} does not accept its own files"
    fix = Fix(f"sudo {quote(seen.there.sshd.binary or 'sshd')} -t", FixBy.ADMIN)
    if seen.there.x11.granted:
        return odd(f"{title} and will not start again with them", problem, fix)
    return bad(title, problem, fix)


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
