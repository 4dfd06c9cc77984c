"""Where the fields of X11 packets lie, read from xcb-proto's XML; x11_conversation.py reads packets with it.

Only as far as a comparison needs it: the fields before the first part of variable length, what kind of value
each holds, and what the rest is a list of.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

FOLDER = Path("/usr/share/xcb")
SIZES = {"CARD8": 1, "INT8": 1, "BOOL": 1, "BYTE": 1, "char": 1, "void": 1, "CARD16": 2, "INT16": 2}
SIZES |= {"CARD32": 4, "INT32": 4, "float": 4, "CARD64": 8, "INT64": 8, "double": 8}
XKB_EVENTS = 1000  # added to XKEYBOARD's events: one event code, the number is in the second byte
SIGNED = {"INT8", "INT16", "INT32"}


@dataclass(frozen=True)
class Field:
    """One value: kind "id", "atom", "time", "signed" or "plain"."""

    name: str
    kind: str
    offset: int
    size: int


@dataclass(frozen=True)
class Layout:
    """The fields of a packet, where they end, and what follows: words that are "id" or "atom", or "plain"."""

    fields: tuple[Field, ...] = ()
    end: int = 0
    rest: str = "plain"


@dataclass
class Extension:
    """Layouts of one extension ("" is the core protocol), by minor opcode or event number."""

    requests: dict[int, Layout] = field(default_factory=dict)
    replies: dict[int, Layout] = field(default_factory=dict)
    events: dict[int, tuple[str, Layout]] = field(default_factory=dict)
    generic: dict[int, tuple[str, Layout]] = field(default_factory=dict)


@functools.cache
def layouts() -> dict[str, Extension]:
    """All extensions that xcb-proto describes, by the name that QueryExtension takes."""
    roots = [ElementTree.parse(path).getroot() for path in sorted(FOLDER.glob("*.xml"))]
    types: dict[str, Element | str] = {}
    for root in roots:
        for one in root:
            if one.tag in {"xidtype", "xidunion"}:
                types[one.get("name", "")] = "id"
            elif one.tag == "typedef":
                types[one.get("newname", "")] = one.get("oldname", "")
            elif one.tag == "struct":
                types[one.get("name", "")] = one
    types |= {"ATOM": "atom", "TIMESTAMP": "time"}
    return {root.get("extension-xname", ""): _extension(root, types) for root in roots}


def _extension(root: Element, types: dict[str, Element | str]) -> Extension:
    core = not root.get("extension-xname")
    found = Extension()
    for request in root.findall("request"):
        number = int(request.get("opcode", ""))
        found.requests[number] = _layout(request, types, 1 if core else 4, 4)
        reply = request.find("reply")
        if reply is not None:
            found.replies[number] = _layout(reply, types, 1, 8)
    events = {one.get("name", ""): one for one in [*root.findall("event"), *root.findall("eventcopy")]}
    for name, one in events.items():
        body = one
        while body.tag == "eventcopy":
            body = events[body.get("ref", "")]
        generic = body.get("xge") == "true"
        first, then = (10, 10) if generic else (1, 1 if body.get("no-sequence-number") else 4)
        number = int(one.get("number", ""))
        number += XKB_EVENTS if root.get("extension-xname") == "XKEYBOARD" else 0
        (found.generic if generic else found.events)[number] = (name, _layout(body, types, first, then))
    return found


def _layout(parent: Element, types: dict[str, Element | str], first: int, then: int) -> Layout:
    """Fields in order: the first byte of them at ``first``, what follows from ``then`` on."""
    fields: list[Field] = []
    at = first
    for one in parent:
        if one.tag in {"doc", "reply", "required_start_align"}:
            continue
        if one.tag == "pad" and one.get("bytes"):
            at += int(one.get("bytes", ""))
        elif one.tag == "field" and (flat := _flat(one.get("type", ""), types)) is not None:
            for name, kind, size in flat:
                fields.append(Field(".".join(filter(None, (one.get("name", ""), name))), kind, at, size))
                at += size
                at = then if first < then and at == first + 1 else at
        elif one.tag == "list":
            flat = _flat(one.get("type", ""), types)
            rest = flat[0][1] if flat is not None and len(flat) == 1 and flat[0][2] == 4 else "plain"
            return Layout(tuple(fields), max(at, then), rest)
        else:
            return Layout(tuple(fields), max(at, then))
        if first < then and at == first + 1:
            at = then
    return Layout(tuple(fields), max(at, then))


def _flat(name: str, types: dict[str, Element | str]) -> list[tuple[str, str, int]] | None:
    """A type as names, kinds and sizes; None where its size is not fixed."""
    name = name.rpartition(":")[2]
    if name in SIZES:
        return [("", "signed" if name in SIGNED else "plain", SIZES[name])]
    known = types.get(name)
    if known in {"id", "atom", "time"}:
        return [("", str(known), 4)]
    if isinstance(known, str):
        return _flat(known, types)
    if known is None:
        return None
    parts: list[tuple[str, str, int]] = []
    for one in known:
        if one.tag == "pad" and one.get("bytes"):
            parts.append(("pad", "pad", int(one.get("bytes", ""))))
            continue
        flat = _flat(one.get("type", ""), types) if one.tag == "field" else None
        if flat is None:
            return None
        parts += [
            (".".join(filter(None, (one.get("name", ""), inner))), kind, size) for inner, kind, size in flat
        ]
    return parts
