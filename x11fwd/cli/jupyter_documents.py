"""The JSON documents of `x11fwd jupyter`; imported by the command."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from x11fwd.pipeline.jupyter import Stopped
    from x11fwd.pipeline.jupyter_session import NotebookServer, Ready

__all__ = ["list_document", "open_document", "stop_document"]


def open_document(ready: Ready, port: int) -> dict[str, object]:
    """`x11fwd.jupyter/1`, written as soon as the page can be opened. The address holds the token."""
    return _document(
        0,
        address=ready.address(port),
        port=port,
        host=ready.host,
        started=ready.started,
        warning=ready.warning,
        servers=[asdict(ready.server)],
    )


def list_document(servers: Sequence[NotebookServer]) -> dict[str, object]:
    """`x11fwd.jupyter/1` of `--list`."""
    return _document(0, servers=[asdict(one) for one in servers])


def stop_document(result: Stopped) -> dict[str, object]:
    """`x11fwd.jupyter/1` of `--stop`."""
    return _document(
        result.exit_code,
        stopped=[asdict(one) for one in result.stopped],
        kept=[asdict(one) for one in result.kept],
        left=[asdict(one) for one in result.left],
    )


def _document(exit_code: int, **more: object) -> dict[str, object]:
    ok = exit_code == 0
    return {"schema": "x11fwd.jupyter/1", "command": "jupyter", "ok": ok, "exit_code": exit_code, **more}
