"""One thing broken on a healthy pair of machines; for test_causes and test_verdicts."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from tests.unit.checks.seen import (
    MAIN,
    healthy,
    refused_by_server,
    with_local,
    with_matplotlib,
    with_python,
    with_remote,
)
from x11fwd.facts.model import AuthorityFile, HomeFacts, SettingSource
from x11fwd.transports.base import X11Outcome
from x11fwd.x11.client import Attempt, Handshake, HandshakeStatus
from x11fwd.x11.display import Address, AddressKind

if TYPE_CHECKING:
    from x11fwd.checks.check import Seen


INCLUDE = f"Include {MAIN}.d/*.conf\n"


RC = "/home/ana/.config/matplotlib/matplotlibrc"


def no_display(seen: Seen, **changes: object) -> Seen:
    """This machine without an X server; the remote was never asked for X11."""
    seen = with_local(
        seen,
        **{"display": None, "display_candidates": (), "display_used": None, "handshake": None, **changes},
    )
    seen = with_remote(
        seen,
        x11=X11Outcome(),
        start_environment=MappingProxyType({}),
        login_environment=MappingProxyType({}),
        remote_handshake=None,
    )
    return with_matplotlib(seen, backend="agg")


def with_display(value: str, *, problem: str | None = None) -> Seen:
    return no_display(healthy(), display=value, display_problem=problem)


def tcp_refused() -> Seen:
    address = Address(AddressKind.TCP, host="localhost", port=6000)
    shake = Handshake(
        HandshakeStatus.CONNECTION_REFUSED,
        "Connection refused",
        attempts=(Attempt(address, "Connection refused"),),
    )
    return with_local(
        healthy(),
        display="localhost:0",
        display_used="localhost:0",
        display_candidates=(":0",),
        handshake=shake,
    )


def not_let_in(status: HandshakeStatus, reason: str, **changes: object) -> Seen:
    return with_local(healthy(), handshake=refused_by_server(status, reason), **changes)


def authority(**changes: object) -> Seen:
    usual = AuthorityFile("/home/ana/.Xauthority", exists=True, owner="ana", mode=0o600, writable=True)
    seen = with_remote(healthy(), authority=replace(usual, **changes))  # type: ignore[arg-type]
    return with_remote(seen, remote_handshake="connection rejected because of wrong authentication")


def home(**changes: object) -> Seen:
    usual = HomeFacts("/home/ana", exists=True, writable=True, full=False, free_bytes=10**9)
    seen = with_remote(healthy(), home=replace(usual, **changes))  # type: ignore[arg-type]
    return with_remote(seen, remote_handshake="wrong authentication", authority=None)


def wish(value: str, source: SettingSource, **changes: object) -> Seen:
    return with_matplotlib(healthy(), **{"backend_wish": (value, source), "backend": "agg", **changes})


def by_variable(value: str) -> Seen:
    return wish(value, SettingSource(variable="MPLBACKEND"))


def by_file(value: str) -> Seen:
    source = SettingSource(RC, 3, text=f"backend: {value}")
    return wish(value, source, rc_backend=source)


def no_tk(**changes: object) -> Seen:
    seen = with_python(
        healthy(), tkinter=None, tkinter_problem="ModuleNotFoundError: No module named 'tkinter'", **changes
    )
    return with_matplotlib(seen, backend="agg")


DROPIN = f"{MAIN}.d/50-cis.conf"
