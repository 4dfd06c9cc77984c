"""Entries of the remote's authority file that lead programs astray: F81, F82 and F90; for the table."""

from __future__ import annotations

import re
from shlex import quote
from typing import TYPE_CHECKING

from x11fwd.checks.check import Seen, Verdict, bad, fine, skip
from x11fwd.checks.remote_user import remotely
from x11fwd.checks.session_place import State, culprit, display_of, state_of

if TYPE_CHECKING:
    from x11fwd.facts.model import AuthorityFile


def _number(seen: Seen) -> str:
    found = re.search(r":(\d+)(?:\.\d+)?$", display_of(seen))
    return found[1] if found else ""


def _entries(authority: AuthorityFile | None) -> tuple[str, ...]:
    return authority.entries if authority and isinstance(authority.entries, tuple) else ()


def hostname_changed(seen: Seen) -> Verdict:
    """F81: libxcb looks for `hostname/unix:N`, with the name that the host has now (xcb_auth.c)."""
    remote = seen.there
    number = _number(seen)
    holds = f"the cookie's entry has the name that {seen.host} has"
    if state_of(seen) is not State.REJECTED or culprit(seen) is not None or not number:
        return fine(holds)
    entries = _entries(remote.authority)
    name = remote.system.hostname
    others = [one for one in entries if one.endswith(f"/unix:{number}")]
    if f"{name}/unix:{number}" in entries or not others:
        return fine(holds)
    path = remote.authority.path if remote.authority else ""
    return bad(
        f"{seen.host} has changed its name since the login that stored the cookie",
        f"the host is called {name}, and {path} has {', '.join(others)} for display {number}; a new login "
        "helps",
        remotely(
            seen,
            f"xauth add \"$(hostname)/unix:{number}\" . $(xauth list | sed -n 's|^{others[0]} .* ||p')",
        ),
    )


def foreign_entries(seen: Seen) -> Verdict:
    """F82: libxcb takes XDM-AUTHORIZATION-1 before the cookie (xcb_auth.c), libXau a wildcard before ours."""
    authority = seen.there.authority
    number = _number(seen)
    holds = "no foreign entry of the authority file is taken for the display's"
    if authority is None or not display_of(seen):
        return skip(f"there is no display on {seen.host} to look one up for")
    host = re.escape(seen.there.system.hostname)
    ours = re.compile(rf"(?:#ffff#\S*|{host}/unix):(?:{number})?(?: |$)")
    found = [one for one in authority.others if ours.match(one)]
    if not found and state_of(seen) is State.REJECTED and culprit(seen) is None:
        found = [one for one in _entries(authority) if one.startswith("#ffff#") and ours.match(one)]
    if not found:
        return fine(holds)
    return bad(
        f"an old entry in {authority.path} on {seen.host} is taken for the cookie of the display",
        f"{', '.join(found)} is preferred to {seen.there.system.hostname}/unix:{number}; the next login "
        "makes a new file",
        remotely(seen, f"mv {quote(authority.path)} {quote(authority.path + '.old')}"),
    )


def snap(seen: Seen) -> Verdict:
    """F90: a snap has a HOME of its own, a flatpak neither the file nor the network."""
    path = seen.python.executable or seen.python.path
    kind = "snap" if re.search(r"(^|/)snap/", path) else "flatpak" if "/flatpak/" in path else ""
    if not kind:
        return fine("Python is neither a snap nor a flatpak")
    if state_of(seen) is not State.REJECTED:
        return fine(f"the {kind} of Python reaches the display", path)
    fix = (
        "export XAUTHORITY=~/.Xauthority"
        if kind == "snap"
        else "flatpak run --share=network --socket=x11 APP"
    )
    return bad(
        f"Python on {seen.host} is a {kind}, which does not see your authority file",
        f"{path}; {seen.there.remote_handshake}",
        remotely(seen, fix),
    )
