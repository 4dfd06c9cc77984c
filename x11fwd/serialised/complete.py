"""Which kind of file it is, and whether it is whole or still being written; the pipeline's."""

from __future__ import annotations

import re

__all__ = ["KINDS", "finished", "kind_of"]

KINDS = {
    ".png": "png",
    ".jpg": "jpeg",
    ".jpeg": "jpeg",
    ".gif": "gif",
    ".webp": "webp",
    ".svg": "svg",
    ".pdf": "pdf",
    ".html": "html",
    ".htm": "html",
    ".csv": "csv",
    ".tsv": "csv",
    ".npy": "npy",
    ".npz": "npz",
}
_SIGNS = (
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"GIF8", "gif"),
    (b"%PDF-", "pdf"),
    (b"\x93NUMPY", "npy"),
)
_HTML = re.compile(rb"<!doctype html|<html", re.IGNORECASE)


def kind_of(name: str, data: bytes) -> str:
    """`png`, `jpeg`, `gif`, `webp`, `svg`, `pdf`, `html`, `csv`, `npy`, `npz`, or "" for none that is known.

    What the file begins with counts more than its name: savefig("plot.jpg", format="png") happens.
    """
    for sign, kind in _SIGNS:
        if data.startswith(sign):
            return kind
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    by_name = next((kind for ending, kind in KINDS.items() if name.lower().endswith(ending)), "")
    if by_name in {"html", "csv", "svg", "npz"}:
        return by_name
    start = data[:4096]
    if b"<svg" in start and not _HTML.search(start):
        return "svg"
    return "html" if _HTML.search(start[:1024]) else by_name


def finished(kind: str, data: bytes) -> bool:
    """False where the end is missing that a file of this kind has once it is written.

    CSV and HTML have no such end and count as finished.
    """
    tail = data[-4096:].rstrip(b"\0\r\n\t ")
    if kind == "png":
        return b"IEND" in data[-64:]
    if kind == "jpeg":
        return b"\xff\xd9" in data[-4096:]
    if kind == "gif":
        return tail.endswith(b";")
    if kind == "webp":
        return len(data) >= int.from_bytes(data[4:8], "little") + 8
    if kind == "svg":
        return b"</svg>" in tail or b":svg>" in tail or tail.endswith(b"/>")
    if kind == "pdf":
        return b"%%EOF" in tail
    if kind == "npz":
        return b"PK\x05\x06" in data[-66_000:]
    return True
