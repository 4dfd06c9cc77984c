"""Which lines of sshd's files set a keyword, and in which Match block; imported by checks/sshd.py alone."""

from __future__ import annotations

import fnmatch
import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from x11fwd.facts.model import SettingSource, SshdFacts

__all__ = ["Line", "lines_about"]

_MAIN = "/etc/ssh/sshd_config"
_DEPTH = 16  # servconf.c, SERVCONF_MAX_DEPTH
_WORDS = re.compile(r"^\s*([A-Za-z0-9]+)(?:\s*=\s*|\s+)(.*?)\s*$")


@dataclass(frozen=True)
class Line:
    """One setting as it stands in a file.

    Attributes:
        value: in lower case, without quotes.
        match: the criteria of the Match block around it, None in the global section.
    """

    source: SettingSource
    value: str
    match: str | None

    def __str__(self) -> str:
        inside = f" (inside Match {self.match})" if self.match else ""
        return f"{self.source}: {self.source.text}{inside}"


def lines_about(keyword: str, sshd: SshdFacts) -> tuple[Line, ...] | None:
    """Every line that sets `keyword`, in the order in which sshd reads them; None where they cannot be read.

    sshd takes the first one of the global section, unless a Match block that holds for the connection
    sets it too: then the first of those wins (sshd_config(5), Match; servconf.c, parse_server_match_config).
    """
    if not isinstance(sshd.files, Mapping):
        return None
    main = sshd.config_file if isinstance(sshd.config_file, str) else _MAIN
    return tuple(_read(main, None, keyword.lower(), sshd.files, 0))


def _read(name: str, match: str | None, keyword: str, files: Mapping[str, str], depth: int) -> Iterator[Line]:
    if depth > _DEPTH:
        return
    for number, text in enumerate(files.get(name, "").splitlines(), 1):
        words = _WORDS.match(text)
        if not words:
            continue
        key, value = words[1].lower(), words[2]
        if key == "match":
            match = None if value.strip().lower() == "all" else value
        elif key == "include":
            for pattern in value.split():
                whole = posixpath.join("/etc/ssh", pattern.strip('"'))
                for found in sorted(one for one in files if fnmatch.fnmatchcase(one, whole)):
                    yield from _read(found, match, keyword, files, depth + 1)
        elif key == keyword:
            source = SettingSource(file=name, line=number, text=text.strip())
            yield Line(source, value.split("#")[0].strip().strip('"').lower(), match)
