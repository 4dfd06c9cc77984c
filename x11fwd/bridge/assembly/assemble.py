"""Makes the remote half one program of one file; `pipeline` and the tests import it.

Making it takes half a second of work (join.py), so a wheel brings it ready made (wheel_hook.py). In a
checkout, or where the sources are not those of the wheel any more, it is made and kept in a cache.
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
NAME = "remote-half"  # of the file in the cache, and of the one in a wheel


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
    kept = _read(f"{cache}/{NAME}", key) if cache else None
    if kept is not None:
        return kept
    made = ready_made() or _made(found)
    if cache:
        _keep(cache, key, made)
    return made


def ready_made() -> Assembled | None:
    """The one that came with the wheel; None where none did, or the sources are not those it is made of."""
    path = f"{_top()}/assembly/{NAME}"
    return _read(path, _digest()) if os.path.exists(path) else None  # noqa: PTH110  same


def write_ready_made(path: str) -> None:
    """Write it as a wheel brings it: the same bytes for the same sources and the same Python.

    Raises:
        AssemblyFault: the modules do not fit together.
    """
    with open(path, "wb") as file:
        file.write(_packed(_digest(), _made(files())))


def _made(found: Mapping[str, str]) -> Assembled:
    from x11fwd.bridge.assembly.join import joined

    texts = {}
    for name, path in found.items():
        with open(path, encoding="utf-8") as file:
            texts[name] = file.read()
    return assembled(joined(texts, MAIN))


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


def _sources(found: Mapping[str, str]) -> list[str]:
    own = [f"{_top()}/assembly/{name}.py" for name in ("assemble", "join", "squeeze", "strip")]
    return [*found.values(), *own, _LOADER.format(_top())]


def _digest() -> str:
    """What the program is made of, by what is in the files; 1 ms."""
    sums = []
    for path in _sources(files()):
        with open(path, "rb") as file:
            sums.append(f"{path.removeprefix(_top())} {hashlib.sha256(file.read()).hexdigest()}")
    return hashlib.sha256("\n".join(sums).encode()).hexdigest()


def _key(found: Mapping[str, str]) -> str:
    """What the program depends on: the files, as make sees them, and the Python that writes it out."""
    import sys

    seen = [sys.version]
    for path in _sources(found):
        status = os.stat(path)  # noqa: PTH116  same
        seen.append(f"{path} {status.st_mtime_ns} {status.st_size}")
    return hashlib.sha256("\n".join(seen).encode("utf-8", "surrogateescape")).hexdigest()


def _read(path: str, key: str) -> Assembled | None:
    try:
        with open(path, "rb") as file:
            head, _, body = file.read(_MOST).partition(b"\n")
    except OSError:
        return None
    if head != f"{key} {hashlib.sha256(body).hexdigest()}".encode():
        return None
    loader, _, source = body.partition(b"\0")
    return assembled(source, loader)


def _packed(key: str, made: Assembled) -> bytes:
    body = made.loader + b"\0" + made.source
    return f"{key} {hashlib.sha256(body).hexdigest()}\n".encode() + body


def _keep(cache: str, key: str, made: Assembled) -> None:
    temporary = f"{cache}/{NAME}.{os.getpid()}"
    try:
        os.makedirs(cache, mode=0o700, exist_ok=True)  # noqa: PTH103  same
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(_packed(key, made))
        os.replace(temporary, f"{cache}/{NAME}")  # noqa: PTH105  same
    except OSError:
        return
