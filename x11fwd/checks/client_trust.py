"""The cookie that this machine's ssh would show for X11, and for how long; section B, for the table alone.

F32, F33, F34 and F36.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from x11fwd.checks.check import Seen, Verdict, bad, fine, odd, skip, unknown
from x11fwd.checks.client_config import at, client_of, edit, put_first
from x11fwd.checks.report import Fix, FixBy
from x11fwd.facts.model import Unknown

if TYPE_CHECKING:
    from x11fwd.facts.client import ClientFacts

_DAY = 86_400
# the X server keeps an unused untrusted cookie for 60 s where xauth names no time (xauth(1), `generate`)
_UNUSED = 60
# its timer counts milliseconds in 32 bits, and a longer one ends the server (Xext/security.c)
_MOST = 2**31 // 1000


def no_untrusted_cookie(seen: Seen) -> Verdict:
    """F32: untrusted forwarding needs a cookie of `xauth generate`; ssh says one line for five causes."""
    client = client_of(seen)
    if client.trusted or not client.forwards:
        return fine("your ssh needs no untrusted cookie for this host", _mode(client))
    if isinstance(client.untrusted, Unknown):
        return unknown("whether an untrusted cookie can be made", client.untrusted.reason)
    if client.untrusted is None:
        return fine("xauth makes the untrusted cookie that your ssh needs", _mode(client))
    return bad(
        "your ssh asks for untrusted X11 forwarding, and no cookie for it can be made here",
        f"{client.untrusted}; ssh itself would only say: xauth key data not generated",
    )


def no_security_extension(seen: Seen) -> Verdict:
    """F33: an X server without SECURITY knows no untrusted programs."""
    local, client = seen.local, seen.local.client
    if isinstance(local.security_extension, Unknown):
        return skip("the X server was not asked", local.security_extension.reason)
    if local.security_extension:
        return fine("the X server here can keep remote programs from spying on others", "extension SECURITY")
    seen_here = f"{local.display_used} has no SECURITY extension"
    if client is None or client.trusted:
        return fine("the X server here knows no untrusted programs; forwarding is trusted", seen_here)
    mode = f"{seen_here}; {_mode(client)}"
    fix = Fix(f"ssh -Y {seen.destination}", FixBy.YOU)
    if client.forwards:
        return bad("your ssh asks for untrusted X11, which the X server here does not know", mode, fix)
    return odd("plain `ssh -X` opens no windows: the X server here knows no untrusted programs", mode, fix)


def timeout(seen: Seen) -> Verdict:
    """F34: windows that open later than ForwardX11Timeout after login are refused, without a word."""
    client = client_of(seen)
    if client.trusted:
        return fine("your ssh sets no time limit for windows", _mode(client))
    seconds = client.timeout
    line = client.decides("forwardx11timeout")
    where = f"{line}: ForwardX11Timeout {line.value}" if line else "ForwardX11Timeout is not set"
    if not client.forwards:
        limit = _duration(seconds) if seconds else "no limit"
        return fine("x11fwd ssh sets no such limit", f"plain ssh -X: {limit}; {where}")
    fix = edit(line) if line and line.file else put_first("ForwardX11Timeout 24d")
    if seconds > _MOST:
        return odd(
            "ForwardX11Timeout is longer than an X server can count: it may end with all its windows",
            f"{where}: more than 24 days; 24d is the longest",
            fix,
        )
    if seconds == 0:
        return fine(
            "your ssh sets no time limit for windows",
            f"{where}; yet the X server forgets an untrusted cookie {_UNUSED} s after its last window: "
            "24d is better",
        )
    if seconds >= _DAY:
        return fine("windows may open as long as a session lasts", where)
    return odd(
        f"windows of plain `ssh` are refused {_duration(seconds)} after login; x11fwd ssh has no such limit",
        f"{where}; {_mode(client)}; ssh says so with -v only",
        fix,
    )


def trusted_by_default(seen: Seen) -> Verdict:
    """F36: Debian and Ubuntu build ssh so that -X is -Y."""
    client = client_of(seen)
    if not client.trusted:
        return fine("plain `ssh -X` is untrusted", _mode(client))
    if client.decides("forwardx11trusted") is not None or isinstance(client.lines, Unknown):
        return fine("plain `ssh -X` gives full access to this screen", _mode(client))
    return fine(
        "plain `ssh -X` gives full access to this screen, as -Y does: this build's default",
        "no line sets ForwardX11Trusted (Debian's and Ubuntu's ssh says yes); `x11fwd ssh` is untrusted "
        "where the X server can",
    )


def _mode(client: ClientFacts) -> str:
    line = client.decides("forwardx11trusted")
    if line is not None:
        return f"ForwardX11Trusted: {at(line)}"
    return f"ForwardX11Trusted is {'yes' if client.trusted else 'no'} by default"


def _duration(seconds: int) -> str:
    for unit, size in (("day", _DAY), ("hour", 3600), ("minute", 60)):
        if seconds >= size and seconds % size == 0:
            count = seconds // size
            return f"{count} {unit}{'s' if count != 1 else ''}"
    return f"{seconds} s"
