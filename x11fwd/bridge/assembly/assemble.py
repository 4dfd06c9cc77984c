"""Makes the remote half one program of one file; `pipeline` and the tests import it.

Making it takes a while (join.py), so it is kept in a cache.
"""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

MAIN = "x11fwd.bridge.remote.main"
PACKAGES = ("x11fwd.bridge.shared", "x11fwd.bridge.remote", "x11fwd.bridge.remote.rules")
_LOADER = "{}/bootstrap/loader.py"
_MOST = 1 << 20  # bytes of the cache's file
_CACHE_NAME = "remote-half"


class Assembled(NamedTuple):  # dataclasses takes 4 ms to import
    """The program; `main(argv, early)` in it is where it begins.

    Attributes:
        source: Python 3.6 and later, standard library only.
        digest: SHA-256 of it, hexadecimal.
        loader: what finds it and runs it over there (bootstrap/loader.py), ready to be sent.
    """

    source: bytes
    digest: str
    loader: bytes


def assembled(source: bytes, loader: bytes | None = None) -> Assembled:
    """A program of this source, whatever it is."""
    if loader is None:
        from x11fwd.bridge.assembly.join import loader_text

        with open(_LOADER.format(_top()), encoding="utf-8") as file:
            loader = loader_text(file.read())
    return Assembled(source, hashlib.sha256(source).hexdigest(), loader)


def assemble(cache: str | None = None) -> Assembled:
    """The remote half of this x11fwd.

    Args:
        cache: a folder in which to keep it, as making it takes a while; it may be missing or full.

    Raises:
        AssemblyFault: the modules do not fit together (strip.py). A mistake of ours, which the tests find.
    """
    found = files()
    key = _key(found)
    kept = _read(cache, key) if cache else None
    if kept is not None:
        return kept
    from x11fwd.bridge.assembly.join import joined

    texts = {}
    for name, path in found.items():
        with open(path, encoding="utf-8") as file:
            texts[name] = file.read()
    made = assembled(joined(texts, MAIN))
    if cache:
        _keep(cache, key, made)
    return made


def _top() -> str:
    return os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120  pathlib costs 4 ms


def files() -> dict[str, str]:
    """Path of each module that may be part of the program, by its name."""
    found = {}
    for package in PACKAGES:
        folder = _top() + package.removeprefix("x11fwd.bridge").replace(".", "/")
        for file in sorted(os.listdir(folder)):  # noqa: PTH208  same
            if file.endswith(".py") and file != "__init__.py":
                found[f"{package}.{file.removesuffix('.py')}"] = f"{folder}/{file}"
    return found


def _key(found: Mapping[str, str]) -> str:
    """What the program depends on: the files, as make sees them, and the Python that writes it out."""
    import sys

    own = [f"{_top()}/assembly/{name}.py" for name in ("assemble", "join", "squeeze", "strip")]
    seen = [sys.version]
    for path in (*found.values(), *own, _LOADER.format(_top())):
        status = os.stat(path)  # noqa: PTH116  same
        seen.append(f"{path} {status.st_mtime_ns} {status.st_size}")
    return hashlib.sha256("\n".join(seen).encode("utf-8", "surrogateescape")).hexdigest()


def _read(cache: str, key: str) -> Assembled | None:
    try:
        with open(f"{cache}/{_CACHE_NAME}", "rb") as file:
            head, _, body = file.read(_MOST).partition(b"\n")
    except OSError:
        return None
    if head != f"{key} {hashlib.sha256(body).hexdigest()}".encode():
        return None
    loader, _, source = body.partition(b"\0")
    return assembled(source, loader)


def _keep(cache: str, key: str, made: Assembled) -> None:
    temporary = f"{cache}/{_CACHE_NAME}.{os.getpid()}"
    try:
        os.makedirs(cache, mode=0o700, exist_ok=True)  # noqa: PTH103  same
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            body = made.loader + b"\0" + made.source
            file.write(f"{key} {hashlib.sha256(body).hexdigest()}\n".encode() + body)
        os.replace(temporary, f"{cache}/{_CACHE_NAME}")  # noqa: PTH105  same
    except OSError:
        return
