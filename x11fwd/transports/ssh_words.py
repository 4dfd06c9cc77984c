"""What the system's ssh says, understood: why it failed, what it said about X11, what it asks; pure.

Texts are those of OpenSSH 6.8 to 10; ssh itself is never translated.
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from x11fwd.errors import AuthError, ConnectError, HostKeyError
from x11fwd.transports.base import HostKeyQuestion

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["connect_failure", "host_key_question", "said", "server_version", "x11_refused", "x11_remarks"]

_DEBUG = re.compile(r"^debug[123]: ")
_REMOTE = "debug1: Remote: "
_VERSION = re.compile(r"remote software version (.+)")
_OFFENDING = re.compile(r"Offending (\S+) key in (.+):(\d+)")
_CHANGED_HOST = re.compile(r"[Hh]ost key for (\S+) has changed")
_STRICT_HOST = re.compile(r"No (\S+) host key is known for (\S+) and you have requested strict checking")
_REVOKED_HOST = re.compile(r"host key for (\S+) (?:was|is marked as) revoked")
_DENIED = re.compile(r"Permission denied \(([^)]*)\)")
_QUESTION = re.compile(r"authenticity of host '(?P<host>.+?)(?: \([^()]*\))?' can't be established")
_FINGERPRINT = re.compile(r"(?P<kind>\S+) key fingerprint is:?\s+(?P<print>SHA256:[A-Za-z0-9+/=]+)")
_LOG_NOISE = (
    "OpenSSH_",
    "Authenticated to ",
    "Transferred: ",
    "Bytes per second: ",
    "Warning: Permanently added ",
    # UpdateHostKeys, below the level that a person sees (update_known_hosts in clientloop.c, hostfile.c):
    # these come at some time after the login
    "Learned new hostkey: ",
    "Deprecating obsolete hostkey: ",
    "Adding new key for ",
)
_REMOVED = re.compile(r"^\S.*:\d+: Removed \S+ key for host ")
_X11 = re.compile(
    r"X11 (?:forwarding|connection)|xauth|DISPLAY |^connect (?:/tmp/\.X11-unix/|\S+ port 6\d\d\d:)|ForwardX11"
)
_X11_ROUTINE = ("Requesting X11 forwarding", "x11_get_proto", "X11 forwarding disabled in", "enabling X11")


def said(log: str) -> tuple[str, ...]:
    """What ssh said to the person, without its debug lines."""
    lines = (line.rstrip() for line in log.splitlines())
    return tuple(
        line
        for line in lines
        if line and not _DEBUG.match(line) and not line.startswith(_LOG_NOISE) and not _REMOVED.match(line)
    )


def server_version(log: str) -> str | None:
    """The server's banner without `SSH-2.0-`; of the last hop, whose line comes last."""
    found = _VERSION.findall(log)
    return found[-1].strip() if found else None


def x11_remarks(log: str) -> tuple[str, ...]:
    """What server (`Remote:`) and client said about X11, oldest first."""
    remarks = []
    for line in log.splitlines():
        text = line.strip()
        if text.startswith(_REMOTE):
            remarks.append(text[len(_REMOTE) :])
            continue
        text = _DEBUG.sub("", text)
        if _X11.search(text) and not text.startswith(_X11_ROUTINE):
            remarks.append(text)
    return tuple(remarks)


def x11_refused(log: str) -> bool | None:
    """True if a request for X11 forwarding was refused, False if one was granted, None if none went out.

    Looks at the last one. ssh logs only the refusal; a request that was not refused by the time the command's
    output has come was granted, because sshd answers in order.
    """
    verdict: bool | None = None
    for line in log.splitlines():
        if "Requesting X11 forwarding" in line:
            verdict = False
        elif (
            "X11 forwarding request failed" in line
            or "X11 forwarding setup failed" in line
            or "disabling X11 forwarding" in line
            or "X11 forwarding is disabled" in line
        ):
            verdict = True
    return verdict


def host_key_question(prompt: str) -> HostKeyQuestion | None:
    """The question about an unknown host key in an ssh prompt, None where it is another prompt."""
    host, key = _QUESTION.search(prompt), _FINGERPRINT.search(prompt)
    if host is None or key is None:
        return None
    return HostKeyQuestion(host["host"], key["kind"], key["print"])


def connect_failure(log: str, place: str, command: str) -> ConnectError:
    """Why ssh did not get in: one of our errors, with what to do next.

    Args:
        place: `user@host`.
        command: the `ssh …` that gets there, for hints.
    """
    lines = said(log)
    text = "\n".join(lines)
    # first of all: with StrictHostKeyChecking=no ssh goes on after a changed key, without passwords
    denied = _DENIED.search(text)
    if denied:
        methods = ", ".join(denied[1].split(","))
        return AuthError(
            f"{place} was not let in (the server offers: {methods})",
            hint=f"`{command}` has to work first; `ssh-copy-id` installs a key",
        )
    if "HOST IDENTIFICATION HAS CHANGED" in text:
        return _changed(text, place)
    revoked = _REVOKED_HOST.search(text)
    if revoked or "REVOKED HOST KEY" in text:
        return HostKeyError(
            f"the host key of {revoked[1] if revoked else place} is marked as revoked",
            hint="somebody who stole the key may be answering; ask the host's administrator",
        )
    strict = _STRICT_HOST.search(text)
    if strict:
        return HostKeyError(
            f"the host key of {strict[2]} is not known, and you asked for strict checking",
            hint="connect once with `-o StrictHostKeyChecking=ask`",
        )
    if "Host key verification failed" in text:
        return HostKeyError(
            f"the host key of {place} was not accepted",
            hint="compare its fingerprint with what the host's administrator says",
        )
    if "Too many authentication failures" in text:
        return AuthError(
            f"{place} was not let in: too many keys were offered",
            hint="`-o IdentitiesOnly=yes -i KEY` offers one",
        )
    return ConnectError(f"ssh could not connect to {place}: {_reason(lines)}", hint=_hint(text))


def _changed(text: str, place: str) -> HostKeyError:
    host = _CHANGED_HOST.search(text)
    name = host[1].rstrip(".") if host else place
    offending = _OFFENDING.search(text)
    shown = re.search(r"SHA256:[A-Za-z0-9+/=]+", text)
    message = f"the host key of {name} has changed"
    if shown:
        message += f": it shows {shown[0]}"
    if not offending:
        return HostKeyError(
            message, hint="if the host was installed anew, remove its old key from known_hosts"
        )
    command = f"ssh-keygen -f {shlex.quote(offending[2])} -R {shlex.quote(name)}"
    return HostKeyError(
        f"{message}, and {offending[2]}:{offending[3]} has another {offending[1]} key",
        hint=f"if the host was installed anew, `{command}`; if not, somebody may be in between",
    )


def _reason(lines: Iterable[str]) -> str:
    """The line that says most: the first that is no general remark."""
    found = [line.removeprefix("ssh: ").rstrip(".") for line in lines]
    general = ("Connection closed", "Connection reset", "Warning: ")
    telling = [line for line in found if not line.startswith(general)]
    return (telling or found or ["it said nothing"])[0]


def _hint(text: str) -> str:
    if "Could not resolve hostname" in text:
        return "check the spelling; a VPN may have to be up"
    if "Connection refused" in text:
        return "is the host up, and is this the port of its sshd?"
    if "Unable to negotiate" in text:
        return "the server is very old or very strict; `ssh -v` shows which algorithms it wants"
    if "kex_exchange_identification" in text or "banner exchange" in text:
        return (
            "sshd does this when too many connections are half-open (MaxStartups) or a firewall has banned "
            "this address"
        )
    return ""
