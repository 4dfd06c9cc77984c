"""This machine's screen for a script's windows, looked for while the connection is made; run.py's."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from x11fwd.errors import DisplayError, X11fwdError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from x11fwd.facts.model import LocalFacts
    from x11fwd.transports.base import X11Offer

__all__ = ["RunDisplay"]


class RunDisplay:
    """This machine's screen, looked for while the connection is made."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.problem = ""
        self._environ = environ
        self._facts: LocalFacts | None = None
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._look, name="x11fwd-display", daemon=True)
        self._thread.start()

    def _look(self) -> None:
        from x11fwd.pipeline.display import gather_ensured

        try:
            self._facts = gather_ensured(self._environ)
        except (X11fwdError, OSError) as error:
            self._error = error

    def facts(self) -> LocalFacts:
        """Waits for it. Raises DisplayError."""
        while self._thread.is_alive():
            self._thread.join(0.2)  # in steps, so that Ctrl-C is never lost
        if self._facts is None:
            raise DisplayError(f"this machine could not be looked at: {self._error}")
        return self._facts

    def offer(self) -> X11Offer | None:
        """What ssh is offered; None without a display."""
        from x11fwd.pipeline.display import make_offer

        try:
            offer, why = make_offer(self.facts(), trusted=None)
        except DisplayError as error:
            offer, why = None, error.message
        if offer is None:
            self.problem = f": {why}"
        return offer
