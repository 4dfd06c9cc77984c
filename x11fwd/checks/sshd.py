"""What else of sshd stands in the way: its xauth, DisableForwarding, files it does not accept; section C."""

from __future__ import annotations

from collections.abc import Mapping
from shlex import quote
from typing import TYPE_CHECKING

from x11fwd.checks.check import Seen, Verdict, bad, fine, odd, skip, unknown
from x11fwd.checks.connection import KEY_OPTIONS, NO_XAUTH, OLD_KEY_OPTIONS, said
from x11fwd.checks.remote_user import remotely
from x11fwd.checks.report import Fix, FixBy
from x11fwd.checks.sshd_lines import connection_of, lines_about, shown
from x11fwd.facts.sshd_config import SshdLine, decide
from x11fwd.facts.unknown import Unknown

_APPENDED = "is not allowed within a Match block"  # servconf.c

if TYPE_CHECKING:
    from x11fwd.facts.model import RemoteFacts, SshdFacts


def reload(sshd: SshdFacts) -> Fix:
    """Look whether sshd accepts its files, and only then make the running one read them."""
    manager, name = sshd.service if isinstance(sshd.service, tuple) else ("", "")
    if manager == "systemd":
        words = f"systemctl reload {quote(name)}"
    elif manager == "openrc":
        words = f"rc-service {quote(name)} reload"
    else:
        words = f"kill -HUP {name}" if manager == "pid" and name.isdigit() else "pkill -HUP -o -x sshd"
    return Fix(f"sudo {quote(sshd.binary or 'sshd')} -t && sudo {words}", FixBy.ADMIN)


def comment_out(line: SshdLine, sshd: SshdFacts) -> Fix:
    """Take one line out of effect, and reload where sshd still accepts its files."""
    edit = f"sudo sed -i.x11fwd-saved '{line.number}s/^/#/' {quote(line.file)}"
    return Fix(f"{edit} && {reload(sshd).command}", FixBy.ADMIN)


def disable_forwarding(seen: Seen) -> Verdict:
    """F57: DisableForwarding yes overrules X11Forwarding yes (fixed to do so in OpenSSH 10.0)."""
    remote = seen.there
    if remote.x11.granted:
        return fine("DisableForwarding does not stand in the way")
    lines = lines_about(seen, "disableforwarding") or ()
    line = decide("disableforwarding", lines, connection_of(seen)).line
    if isinstance(remote.sshd.effective, Mapping):
        value = remote.sshd.effective.get("disableforwarding", "no").lower()
    else:
        value = line.value.lower() if line else "no"
    if value != "yes":
        return fine("DisableForwarding does not stand in the way")
    line = next((one for one in lines if one.value.lower() == "yes"), None)
    fix = None
    if line is not None:
        fix = comment_out(line, remote.sshd)
    return bad(
        f"sshd on {seen.host} has DisableForwarding yes, which forbids X11 whatever X11Forwarding says",
        shown(line) if line else "sshd -T says disableforwarding yes",
        fix,
    )


def xauth_missing(seen: Seen) -> Verdict:
    """F58: sshd refuses X11 where the xauth it knows is not there (session.c)."""
    remote = seen.there
    remark = said(seen, NO_XAUTH)
    if remote.xauth.path is None and seen.inside and remote.x11.granted:
        return skip("there is no xauth here; sshd has found one where it runs")
    if remote.xauth.path is None:
        evidence = [one.rstrip(".") for one in (remark, "not in PATH nor in the usual places") if one]
        fix = seen.setup
        if remote.system.image:
            evidence.append(f"an image ({remote.system.image}) takes no programs while it runs")
            # the bridge needs no xauth, but a Python, and a home can hold one
            bridge = Fix(f"x11fwd ssh --via bridge {seen.destination}", FixBy.YOU)
            fix = bridge if remote.pythons else remotely(seen, "uv python install")
        return bad(f"xauth is missing on {seen.host}", "; ".join(evidence), fix)
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
    line = next(iter(lines_about(seen, "xauthlocation") or ()), None)
    where = shown(line) if line else f"XAuthLocation is {named}" if named else "the place built into sshd"
    fix = None
    if named and named.startswith("/"):
        fix = Fix(f"sudo ln -s {quote(remote.xauth.path)} {quote(named)}", FixBy.ADMIN)
    if line is not None:
        fix = comment_out(line, remote.sshd)
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
    if _APPENDED in problem:
        return skip("see sshd-append-breaks-daemon")
    return _not_accepted(seen, f"sshd on {seen.host} does not accept its own files")


def append_breaks_daemon(seen: Seen) -> Verdict:
    """F53: a global keyword under a Match block is a fatal error (servconf.c)."""
    if _APPENDED not in seen.there.sshd.problem:
        return fine(f"no global keyword of sshd's on {seen.host} has landed in a Match block")
    return _not_accepted(seen, f"a line appended to sshd's files on {seen.host} has landed in a Match block")


def _not_accepted(seen: Seen, title: str) -> Verdict:
    problem = seen.there.sshd.problem
    fix = Fix(f"sudo {quote(seen.there.sshd.binary or 'sshd')} -t", FixBy.ADMIN)
    if seen.there.x11.granted:
        return odd(f"{title}: it will not start again", problem, fix)
    return bad(f"{title}: it will not start again", problem, fix)


def refused_without_a_reason(remote: RemoteFacts) -> bool:
    """True where sshd's files allow X11 to this user and the running sshd refused it, saying nothing."""
    effective = remote.sshd.effective
    return (
        remote.x11.granted is False
        and not any(known in remark for remark in remote.x11.remarks for known in (KEY_OPTIONS, NO_XAUTH))
        and isinstance(effective, Mapping)
        and effective.get("x11forwarding") == "yes"
        and effective.get("disableforwarding") != "yes"
        and remote.xauth.path is not None
    )


def not_reloaded(seen: Seen) -> Verdict:
    """F55: sshd reads its files at start and on SIGHUP only; they say yes, the running one says no.

    Of all that refuses X11 without a reason (session.c, session_setup_x11fwd) only this leaves no trace, so
    it is what remains once each other one has been looked at.
    """
    remote = seen.there
    effective = remote.sshd.effective
    if remote.x11.granted is not False or said(seen, KEY_OPTIONS, NO_XAUTH):
        return fine(f"the running sshd of {seen.host} has read its files")
    if not isinstance(effective, Mapping) or effective.get("x11forwarding") != "yes":
        return skip("sshd's files do not say yes")
    if not refused_without_a_reason(remote):
        return skip("another reason is known")
    title = f"the running sshd of {seen.host} has not read its files again: they say yes, it says no"
    network = remote.network
    ipv6 = network.ipv6_loopback is not False or effective.get("addressfamily") == "inet"
    if isinstance(network.listeners, Unknown) or isinstance(network.ipv6_loopback, Unknown) or not ipv6:
        return unknown(
            f"whether the running sshd of {seen.host} has read its files: they say yes, it says no",
            "a reload settles it; other such reasons: ::1 is missing, 1000 displays are in use",
            seen.setup,
        )
    return bad(
        title,
        "::1 is there, display numbers are free, xauth is found, and sshd refuses twice without a reason",
        reload(remote.sshd),
    )


def needs_root(seen: Seen) -> Verdict:
    """F71: what sshd would answer for this user is for root's eyes only."""
    remote = seen.there
    effective = remote.sshd.effective
    if (
        isinstance(effective, Mapping)
        or remote.x11.granted
        or said(seen, KEY_OPTIONS, OLD_KEY_OPTIONS, NO_XAUTH)
    ):
        return fine(f"what matters of sshd's settings on {seen.host} can be seen")
    if not isinstance(effective, Unknown) or not (remote.sshd.unreadable or "root" in effective.reason):
        return skip("see sshd-config-syntax")
    where = remote.sshd.connection or f"user={remote.user}"
    return unknown(
        f"what sshd on {seen.host} would allow you: only root may read its settings",
        "; ".join((effective.reason, *remote.sshd.unreadable)),
        Fix(f"sudo sshd -T -C {where} | grep -i -e x11 -e forwarding", FixBy.ADMIN),
    )
