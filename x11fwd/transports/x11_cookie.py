"""An untrusted cookie for a display, made by `xauth generate` as ssh -X makes it; for the paramiko transport.

client_x11_get_proto in OpenSSH's clientloop.c is the model, except that xauth's own words are kept: ssh
throws them away and says the same line for five different causes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from x11fwd.errors import DisplayError
from x11fwd.transports.scratch import scratch_folder
from x11fwd.x11.authority import read_authority
from x11fwd.x11.display import ssh_xauth_name

if TYPE_CHECKING:
    from x11fwd.transports.base import Transport, X11Offer

__all__ = ["untrusted_cookie"]


def untrusted_cookie(offer: X11Offer, local: Transport, *, timeout: float = 10.0) -> bytes:
    """Ask the X server for a cookie whose programs may not look at or touch the others'.

    It does not expire (`timeout 0` of xauth(1)); the server forgets it when it resets.

    Args:
        timeout: seconds that xauth may take.

    Raises:
        DisplayError: xauth is missing, the display cannot be reached, or it has no SECURITY extension.
        ConnectionLost: xauth did not end.
    """
    if offer.xauth is None:
        raise DisplayError("there is no xauth program on this machine", hint="install `xauth`")
    with scratch_folder() as folder:
        file = folder / "xauthfile"
        words = [offer.xauth, "-f", str(file), "generate", ssh_xauth_name(offer.display)]
        if offer.authority is not None:
            words = ["env", f"XAUTHORITY={offer.authority}", *words]
        answer = local.run([*words, "MIT-MAGIC-COOKIE-1", "untrusted", "timeout", "0"], timeout=timeout)
        records = read_authority(file).records if answer.ok else ()
    if records:
        return records[0].data
    lines = [line.strip() for line in answer.error_text.splitlines() if line.strip()]
    raise DisplayError(
        f"no untrusted cookie for {offer.display}: {_telling(lines)}",
        hint="trusted forwarding (`-Y`) needs none, and gives the remote full access to this display",
    )


def _telling(lines: list[str]) -> str:
    """xauth says what the server said first, and `unable to open display` after it."""
    wanted = (
        "Invalid MIT",
        "Authorization required",
        "couldn't query Security",
        "unable to open",
        "No such file",
    )
    for text in wanted:
        for line in lines:
            if text in line:
                return line.removeprefix("xauth: ").rstrip(".")
    return lines[-1] if lines else "xauth made none"
