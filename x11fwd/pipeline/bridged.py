"""The bridge over a connection that the pipeline has open already; `verify` and `run` import it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from x11fwd.errors import DisplayError
from x11fwd.facts.place import is_forwarded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from x11fwd.bridge.local.over_stream import StreamBridge
    from x11fwd.bridge.session.trust import Screen
    from x11fwd.facts.model import LocalFacts
    from x11fwd.transports.base import Transport


class OpenBridge:
    """A running bridge and the screen it leads to."""

    def __init__(self, bridge: StreamBridge, screen: Screen) -> None:
        self._bridge, self._screen = bridge, screen
        self.display, self.authority = bridge.display, bridge.authority

    @property
    def problem(self) -> str:
        """Why it does not run any more; empty while it does."""
        return self._bridge.problem

    def close(self) -> None:
        self._bridge.close()
        self._screen.close()


def needs_trust(local: LocalFacts) -> bool:
    """No cookie for untrusted programs can be had of this machine's display, as `x11fwd ssh` sees it.

    One that sshd made leads to an ssh that hands on the one cookie it knows (x11_open_helper in channels.c).
    """
    return local.security_extension is not True or is_forwarded(local.display_used or "")


def open_bridge(
    transport: Transport, local: LocalFacts, environ: Mapping[str, str], *, trusted: bool
) -> OpenBridge:
    """Start both halves.

    Args:
        trusted: programs over there may do what those of this machine may.

    Raises:
        DisplayError: this machine's X server cannot be used.
        ConnectError: the remote half did not start; the message says why.
    """
    from x11fwd.bridge.assembly.assemble import assemble
    from x11fwd.bridge.local.over_stream import StreamBridge
    from x11fwd.bridge.local.server import XServer
    from x11fwd.bridge.session.trust import Screen
    from x11fwd.pipeline.ssh.link import cache_folder

    if local.display_used is None:
        raise DisplayError(local.display_problem or "no X server was found", hint="`x11fwd doctor`")
    found = dict(environ)
    if local.authority is not None:
        found["XAUTHORITY"] = local.authority.path
    screen = Screen(local.display_used, found, trusted=trusted)
    try:
        server = XServer(screen.open, screen.name, screen.data)
        return OpenBridge(StreamBridge(transport, server, assemble(cache_folder(environ))), screen)
    except BaseException:
        screen.close()
        raise
