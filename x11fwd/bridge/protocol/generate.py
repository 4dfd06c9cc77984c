"""Writes shared/tables.py and protocol/names.py from xcb-proto's XML; run by hand; a test compares.

    python -m x11fwd.bridge.protocol.generate [/usr/share/xcb]

The XML is the protocol's own description (Debian: package xcb-proto); libxcb is made from the same files.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

__all__ = ["Extension", "main", "names_text", "read_folder", "tables_text"]

FOLDER = Path("/usr/share/xcb")
# More than one reply to one request, which the XML does not say: ListFontsWithInfo ends with a reply that has
# no name (X protocol, chapter 9), RECORD's EnableContext with category EndOfData.
SEVERAL = {("", 50), ("RECORD", 5)}
# XKB has one event code; the number in its XML is the kind in the second byte (XKB protocol, chapter 16).
ONE_EVENT = {"XKEYBOARD"}


@dataclass
class Extension:
    """One XML file: requests by number, bit sets of their kinds; `name` is empty for the core protocol.

    Sets are integers, bit n for minor opcode n (core: opcode n).
    """

    name: str
    version: str
    names: dict[int, str] = field(default_factory=dict)
    replies: int = 0
    several: int = 0
    sends_fds: int = 0
    gets_fds: int = 0
    events: int = 0
    errors: int = 0
    generic: int = 0

    @property
    def known(self) -> int:
        return sum(1 << minor for minor in self.names)


def _has_fds(parent: Element) -> bool:
    """Whether a file descriptor is among the direct fields (a reply's fields are not the request's)."""
    return any(child.tag == "fd" or (child.tag == "list" and child.get("type") == "fd") for child in parent)


def read_root(root: Element) -> Extension:
    """One parsed file."""
    name = root.get("extension-xname", "")
    version = f"{root.get('major-version', '11')}.{root.get('minor-version', '0')}"
    found = Extension(name, version)
    for request in root.findall("request"):
        minor = int(request.get("opcode", ""))
        bit = 1 << minor
        if minor in found.names:
            raise ValueError(f"{name}: two requests {minor}")
        found.names[minor] = request.get("name", "")
        reply = request.find("reply")
        if reply is not None:
            found.replies |= bit
            found.gets_fds |= bit * _has_fds(reply)
        if (name, minor) in SEVERAL:
            found.several |= bit
        found.sends_fds |= bit * _has_fds(request)
    generic = {event.get("name") for event in root.findall("event") if event.get("xge") == "true"}
    plain = []
    for event in [*root.findall("event"), *root.findall("eventcopy")]:
        number = int(event.get("number", ""))
        if name and (event.get("name") in generic or event.get("ref") in generic):
            found.generic |= 1 << number
            generic.add(event.get("name"))  # a copy of a copy
        else:
            plain.append(number)
    found.events = 1 if name in ONE_EVENT else max(plain, default=-1) + 1
    errors = [int(error.get("number", "")) for error in [*root.findall("error"), *root.findall("errorcopy")]]
    found.errors = max(errors, default=-1) + 1
    return found


def read_folder(folder: Path) -> list[Extension]:
    """All XML files of a folder, core first.

    Raises:
        OSError: the folder or a file cannot be read.
        ValueError: a file is not what it should be.
    """
    from xml.etree import ElementTree

    files = sorted(folder.glob("*.xml"))
    if not files:
        raise FileNotFoundError(f"no XML in {folder}; Debian has it in the package xcb-proto")
    found = [read_root(ElementTree.parse(file).getroot()) for file in files]  # noqa: S314 - a Debian package's
    return sorted(found, key=lambda one: one.name)


def _hex(value: int) -> str:
    return f"0x{value:X}" if value else "0"


def tables_text(extensions: list[Extension]) -> str:
    """The text of shared/tables.py."""
    lines = [
        '"""Made by protocol/generate.py from xcb-proto; which requests exist and which are answered.',
        "",
        "name: (known, replies, several, sends_fds, gets_fds, events, errors, generic)",
        "",
        "The first five and the last are sets, bit n for minor opcode (core: opcode, generic: event type) n;",
        "`events` and `errors` are at least how many codes the extension takes.",
        '"""',
        "",
        "TABLES = {",
    ]
    for one in extensions:
        sets = (one.known, one.replies, one.several, one.sends_fds, one.gets_fds)
        numbers = [*(_hex(value) for value in sets), str(one.events), str(one.errors)]
        row = ", ".join([*numbers, _hex(one.generic)])
        line = f'    "{one.name}": ({row}),'
        if len(line) > 110:  # as ruff format breaks it
            line = f'    "{one.name}": (\n' + "".join(f"        {n},\n" for n in row.split(", ")) + "    ),"
        lines.append(line)
    return "\n".join([*lines, "}", ""])


def names_text(extensions: list[Extension]) -> str:
    """The text of protocol/names.py."""
    lines = [
        '"""Made by protocol/generate.py from xcb-proto; names of requests, for logs of the local half."""',
        "",
        "# name: requests as name or, where minor opcodes are left out, minor=name",
        "NAMES = {",
    ]
    for one in extensions:
        words, expected = [], 0
        for minor, name in sorted(one.names.items()):
            words.append(name if minor == expected else f"{minor}={name}")
            expected = minor + 1
        lines.append(f'    "{one.name}": "{" ".join(words)}",')
    return "\n".join([*lines, "}", ""])


def main(arguments: list[str]) -> None:
    """Write both files from the folder in `arguments`, or from Debian's."""
    extensions = read_folder(Path(arguments[0]) if arguments else FOLDER)
    here = Path(__file__).parent
    (here.parent / "shared" / "tables.py").write_text(tables_text(extensions), encoding="utf-8")
    (here / "names.py").write_text(names_text(extensions), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
