"""Jobs on a cluster's nodes: what its Slurm forwards, and where the DISPLAY of a job leads; F91, F92."""

from __future__ import annotations

import re
from shlex import quote

from x11fwd.checks.check import Seen, Verdict, bad, fine, odd, skip, unknown
from x11fwd.checks.report import Fix, FixBy
from x11fwd.checks.session_place import State, culprit, display_of, place_of, seen_words, state_of
from x11fwd.facts.place import is_forwarded
from x11fwd.facts.unknown import Unknown, known

_X11_PORT = 6000
_HERE = re.compile(r"(?:localhost|unix|127\.[\d.]+|\[?::1\]?)?$")
# of getaddrinfo(3), in glibc, musl and the BSDs
_NO_NAME = re.compile(r"not known|name resolution|not resolve|No address associated", re.IGNORECASE)


def slurm(seen: Seen) -> Verdict:
    """F91: a login without X11, or a Slurm without PrologFlags=X11 (slurm.conf(5))."""
    flags = seen.there.account.slurm_flags
    if seen.inside and culprit(seen) == "slurm-no-x11":
        way = "come to the login node by ssh with X11, and ask for it there"
        if _allows(seen) is False:
            way = f"Slurm here forwards no X11 (PrologFlags = {flags}); begin again with the bridge"
        return bad("this job of Slurm was started without X11", f"$DISPLAY is empty; {way}", _again(seen))
    if flags is None:
        return skip(f"there is no Slurm on {seen.host}")
    if isinstance(flags, Unknown):
        return unknown(f"whether Slurm on {seen.host} forwards X11 into jobs", flags.reason)
    said = f"scontrol show config: PrologFlags = {flags}"
    place = seen.there.place if seen.inside else None
    if place is not None and place.job and not place.below_sshd:
        if state_of(seen) is State.OPEN:
            return fine("windows of this job find their display", f"DISPLAY={display_of(seen)}; {said}")
        return skip("this is a job: what counts is its own DISPLAY", said)
    if seen.inside and state_of(seen) is State.OPEN and _host(display_of(seen)):
        return fine("jobs find the display of this session", f"DISPLAY={display_of(seen)}; {said}")
    if _allows(seen):
        return fine(f"Slurm on {seen.host} forwards X11 into jobs: `srun --x11`", said)
    return odd(
        f"Slurm on {seen.host} forwards no X11 into jobs: `srun --x11` is refused there",
        f"{said}, without X11; the bridge can let the nodes in",
        Fix(f"x11fwd ssh --nodes {seen.destination} -- srun COMMAND", FixBy.YOU),
    )


def batch(seen: Seen) -> Verdict:
    """F92: schedulers copy the environment, and localhost means another machine there."""
    place = place_of(seen)
    if culprit(seen) != "batch-inherits-display":
        return fine("no batch system has copied a DISPLAY of another machine")
    display = display_of(seen)
    if _host(display) and is_forwarded(display):
        return _far_display(seen)
    submitted = place.submit_host.partition(".")[0]
    here = place.hostname.partition(".")[0]
    hosts = f"; submitted on {submitted}, running on {here}" if submitted and submitted != here else ""
    name = place.job or "a batch system"
    site = (
        "" if _allows(seen) is not False else "; Slurm here forwards no X11, the bridge can let the nodes in"
    )
    return bad(
        f"this is a job of {name}, and its DISPLAY means the machine where it was submitted"
        if display
        else f"this is a job of {name}, and such jobs have no DISPLAY",
        f"{seen_words(seen)}{hosts}{site}",
        _again(seen) if name == "Slurm" else Fix("unset DISPLAY; export MPLBACKEND=Agg", FixBy.YOU),
    )


def _far_display(seen: Seen) -> Verdict:
    """The display is at another computer's name (`x11fwd ssh --nodes`), and the way there is closed."""
    place = place_of(seen)
    display = display_of(seen)
    host = _host(display)
    here = place.hostname.partition(".")[0]
    login = quote(place.submit_host or host)
    words = seen_words(seen)
    answer = known(seen.there.remote_handshake) or ""
    if _NO_NAME.search(answer):
        return bad(
            f"{here} does not know the name {host}, where the display of this job is",
            f"{words}; ADDRESS is one of {host} that {here} reaches: `ip -br address` there lists them",
            Fix(f"x11fwd ssh --nodes=ADDRESS {login}", FixBy.X11FWD),
        )
    if "refused" in answer:
        return bad(
            f"the display of this job is no longer there, or {here} takes another computer for {host}",
            f"{words}; it lasts as long as the login on {host}. `getent hosts {host}` on both shows whether "
            "they mean the same; if not, --nodes=ADDRESS says where the nodes find it",
            Fix(f"x11fwd ssh --nodes {login}", FixBy.X11FWD),
        )
    port = _X11_PORT + int(display.rpartition(":")[2].partition(".")[0])
    return bad(
        f"{here} does not get through to {host}, where the display of this job is",
        f"{words}; a firewall, mostly: the nodes need TCP port {port} of {host}",
        _again(seen) if _allows(seen) else Fix(f"x11fwd ssh -J {login} {quote(here)}", FixBy.X11FWD),
    )


def _host(display: str) -> str:
    """The other computer that a DISPLAY names; empty for this one."""
    host = display.rpartition(":")[0].rpartition("/")[2]
    return "" if _HERE.match(host) else host


def _allows(seen: Seen) -> bool | None:
    """Whether the site's Slurm forwards X11; None where nobody knows."""
    flags = known(seen.there.account.slurm_flags)
    return None if flags is None else "x11" in flags.lower()


def _again(seen: Seen) -> Fix:
    """How to start the job so that its windows come."""
    if _allows(seen) is False:
        login = place_of(seen).submit_host or "HOST"
        return Fix(f"x11fwd ssh --nodes {quote(login)}", FixBy.X11FWD)
    return Fix("srun --x11 --pty bash", FixBy.YOU)
