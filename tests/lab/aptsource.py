"""Where this machine gets Debian packages from, read from its own apt configuration; used by trees only."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

APT = Path("/etc/apt")
CODENAMES = (
    "buster",
    "bullseye",
    "bookworm",
    "trixie",
    "forky",
    "sid",
    "stable",
    "oldstable",
    "testing",
    "unstable",
)


@dataclass(frozen=True)
class Entry:
    """One archive of sources.list(5)."""

    uri: str
    suite: str
    components: tuple[str, ...]


@dataclass(frozen=True)
class Mirror:
    """The archive (None: debootstrap's own default) and, where one is configured, that of security."""

    main: str | None
    security: str | None


def entries(apt: Path = APT) -> list[Entry]:
    """Every binary archive that apt is configured for, in both formats of sources.list(5)."""
    found: list[Entry] = []
    if (apt / "sources.list").is_file():
        found += _one_line((apt / "sources.list").read_text(encoding="utf-8").splitlines())
    folder = apt / "sources.list.d"
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        if path.suffix == ".list":
            found += _one_line(path.read_text(encoding="utf-8").splitlines())
        elif path.suffix == ".sources":
            found += _deb822(path.read_text(encoding="utf-8"))
    return found


def _one_line(lines: Iterable[str]) -> Iterator[Entry]:
    for line in lines:
        words = re.sub(r"\[.*?\]", "", line.split("#")[0]).split()
        if len(words) >= 3 and words[0] == "deb":
            yield Entry(words[1].rstrip("/"), words[2], tuple(words[3:]))


def _deb822(text: str) -> Iterator[Entry]:
    text = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    for stanza in re.split(r"\n\s*\n", text):
        fields: dict[str, str] = {}
        name = ""
        for line in stanza.splitlines():
            if line[:1].isspace():
                fields[name] = f"{fields.get(name, '')} {line.strip()}"
            elif ":" in line:
                name, _, value = line.partition(":")
                name = name.strip().lower()
                fields[name] = value.strip()
        if "deb" not in fields.get("types", "").split() or fields.get("enabled", "yes").lower() in {
            "no",
            "false",
        }:
            continue
        for uri in fields.get("uris", "").split():
            for suite in fields.get("suites", "").split():
                yield Entry(uri.rstrip("/"), suite, tuple(fields.get("components", "").split()))


def mirror(apt: Path = APT) -> Mirror:
    """The Debian archives this machine uses; ``X11FWD_LAB_MIRROR`` overrides the main one.

    An Ubuntu machine has none configured: then debootstrap's own default is used.
    """
    known = [entry for entry in entries(apt) if entry.uri.startswith(("http://", "https://", "file:"))]
    main = [e.uri for e in known if e.suite in CODENAMES and "main" in e.components]
    security = [
        e.uri for e in known if re.fullmatch(rf"({'|'.join(CODENAMES)})(-security|/updates)", e.suite)
    ]
    chosen = os.environ.get("X11FWD_LAB_MIRROR") or (main[0] if main else None)
    return Mirror(chosen, security[0] if security else None)
