"""The local port that a server had last time, so that its address, and what the browser knows of it, stay."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

from x11fwd.pipeline.ssh.memory import state_folder

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["recall", "remember"]

_MOST = 200  # servers; the oldest go


def recall(name: str, environ: Mapping[str, str]) -> int:
    """The port for this server, 0 where there is none."""
    return _read(_path(environ)).get(name, 0)


def remember(name: str, port: int, environ: Mapping[str, str]) -> None:
    """Keep it; a home that cannot be written to only costs the memory."""
    path = _path(environ)
    if path is None or _read(path).get(name) == port:
        return
    from x11fwd.bridge.session.memory import Turn, put

    with contextlib.suppress(OSError), Turn(str(path.parent)):
        ports = _read(path)
        ports.pop(name, None)
        put(str(path), json.dumps({"ports": dict([*ports.items(), (name, port)][-_MOST:])}))


def _path(environ: Mapping[str, str]) -> Path | None:
    folder = state_folder(environ)
    return None if folder is None else Path(folder) / "jupyter.json"


def _read(path: Path | None) -> dict[str, int]:
    if path is None:
        return {}
    try:
        ports = json.loads(path.read_text(encoding="utf-8"))["ports"]
        return {str(name): port for name, port in ports.items() if 0 < int(port) < 65536}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}
