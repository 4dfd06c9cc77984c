"""The known_hosts file as sshd(8) describes it: parsing, lookup, new lines; pure, for the transports only.

Written because paramiko's own reader raises on lines that OpenSSH accepts (`@cert-authority`, unknown key
types) and because a decision needs every matching line, not one key.
"""

from __future__ import annotations

import base64
import binascii
import fnmatch
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = [
    "HostKey",
    "KnownHost",
    "Verdict",
    "fingerprint",
    "has_authority",
    "host_name",
    "judge",
    "known_types",
    "new_line",
    "parse_known_hosts",
    "prefer_known",
]

CERT_AUTHORITY = "@cert-authority"
REVOKED = "@revoked"
_HASHED = re.compile(r"\|1\|([A-Za-z0-9+/=]+)\|([A-Za-z0-9+/=]+)")


@dataclass(frozen=True)
class HostKey:
    """A public key: its type (`ssh-ed25519`) and its blob (RFC 4253 section 6.6)."""

    kind: str
    blob: bytes

    @property
    def name(self) -> str:
        """The type as ssh says it to people: `ED25519`, `ECDSA`, `RSA` (sshkey_type in sshkey.c)."""
        return self.kind.partition("@")[0].removeprefix("sk-").removeprefix("ssh-").split("-")[0].upper()

    @property
    def base64(self) -> str:
        return base64.b64encode(self.blob).decode()


@dataclass(frozen=True)
class KnownHost:
    """One line.

    Attributes:
        patterns: the comma-separated host field, hashed or not.
        marker: `@cert-authority`, `@revoked` or `""`.
        file, line: where it stands; lines count from 1.
    """

    patterns: tuple[str, ...]
    key: HostKey
    marker: str = ""
    file: str = field(default="", compare=False)
    line: int = field(default=0, compare=False)

    def matches(self, name: str) -> bool:
        """True if the line is about `name`, a result of `host_name` (match_hostname in hostfile.c)."""
        name = name.lower()
        found = False
        for pattern in self.patterns:
            hashed = _HASHED.fullmatch(pattern)
            if hashed:
                found = found or _hash(name, hashed[1]) == hashed[2]
                continue
            negated = pattern.startswith("!")
            if _wildcard(pattern.lstrip("!").lower(), name):
                if negated:
                    return False
                found = True
        return found


def _wildcard(pattern: str, name: str) -> bool:
    # OpenSSH knows `*` and `?` only (match.c); brackets are part of `[host]:port`
    escaped = pattern.replace("[", "\0").replace("]", "[]]").replace("\0", "[[]")
    return fnmatch.fnmatchcase(name, escaped)


def _hash(name: str, salt: str) -> str:
    try:
        key = base64.b64decode(salt, validate=True)
    except (binascii.Error, ValueError):
        return ""
    return base64.b64encode(hmac.new(key, name.encode(), hashlib.sha1).digest()).decode()


def host_name(host: str, port: int) -> str:
    """The name a host is listed by: `host`, or `[host]:port` on other ports (put_host_port in misc.c)."""
    return host.lower() if port == 22 else f"[{host.lower()}]:{port}"


def parse_known_hosts(text: str, file: str = "") -> tuple[KnownHost, ...]:
    """Read a file; comments and lines that are no entry are passed over, as ssh does."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        marker = ""
        if words and words[0] in {CERT_AUTHORITY, REVOKED}:
            marker = words.pop(0)
        if len(words) < 3 or words[0].startswith(("#", "@")):
            continue
        key = _key(words[1], words[2])
        if key is not None:
            patterns = tuple(pattern for pattern in words[0].split(",") if pattern)
            found.append(KnownHost(patterns, key, marker, file, number))
    return tuple(found)


def _key(kind: str, text: str) -> HostKey | None:
    try:
        blob = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    # the blob repeats its type as an SSH string; a line where they differ is damaged
    size = int.from_bytes(blob[:4], "big")
    return HostKey(kind, blob) if blob[4 : 4 + size] == kind.encode() else None


class Verdict(Enum):
    """What the files say about a key that a host showed (HostStatus in OpenSSH's hostfile.h)."""

    KNOWN = "known"
    UNKNOWN = "unknown"
    CHANGED = "changed"  # the host is known, and by none of its lines has it this key
    REVOKED = "revoked"


def judge(entries: Iterable[KnownHost], name: str, key: HostKey) -> tuple[Verdict, tuple[KnownHost, ...]]:
    """Judge a key against every line about `name`; returns the lines the verdict rests on.

    A key of a type that no line has is a changed key, as in check_hostkeys_by_key_or_type (hostfile.c): the
    known types were asked for first, so the host has lost them. Certificate lines are no answer here: who
    meets one that matches lets OpenSSH do the work.
    """
    about = tuple(entry for entry in entries if entry.matches(name))
    revoked = tuple(entry for entry in about if entry.marker == REVOKED and entry.key.blob == key.blob)
    if revoked:
        return Verdict.REVOKED, revoked
    plain = tuple(entry for entry in about if not entry.marker)
    same = tuple(entry for entry in plain if entry.key.blob == key.blob)
    if same:
        return Verdict.KNOWN, same
    return (Verdict.CHANGED, plain) if plain else (Verdict.UNKNOWN, ())


def known_types(entries: Iterable[KnownHost], name: str) -> tuple[str, ...]:
    """The key types by which a host is known, in the order of the lines."""
    kinds = (entry.key.kind for entry in entries if not entry.marker and entry.matches(name))
    return tuple(dict.fromkeys(kinds))


def has_authority(entries: Iterable[KnownHost], name: str) -> bool:
    """True if a `@cert-authority` line speaks about the host."""
    return any(entry.marker == CERT_AUTHORITY and entry.matches(name) for entry in entries)


def prefer_known(algorithms: Sequence[str], kinds: Sequence[str]) -> tuple[str, ...]:
    """Host key algorithms with those of known keys in front (order_hostkeyalgs in sshconnect2.c).

    Without it a server that has several keys would show one that the user has never seen.
    """
    wanted = set(kinds)
    if "ssh-rsa" in wanted:
        wanted |= {"rsa-sha2-512", "rsa-sha2-256"}  # RFC 8332: same key, better signature
    return tuple(sorted(algorithms, key=lambda name: name not in wanted))


def fingerprint(key: HostKey) -> str:
    """`SHA256:…` without padding, as ssh prints it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(key.blob).digest()).decode().rstrip("=")


def new_line(name: str, key: HostKey, *, hashed: bool) -> str:
    """A line for a newly accepted key, with its newline."""
    if hashed:
        salt = base64.b64encode(secrets.token_bytes(20)).decode()
        name = f"|1|{salt}|{_hash(name.lower(), salt)}"
    return f"{name} {key.kind} {key.base64}\n"
