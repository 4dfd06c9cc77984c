"""The arrows of the line for many hosts: this machine is looked at once for all; for the cli's fleets."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING

from x11fwd.errors import ConnectError, UsageError
from x11fwd.pipeline.doctor import preference, real_means
from x11fwd.pipeline.ssh.memory import state_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from x11fwd.facts.client import ClientFacts
    from x11fwd.facts.model import LocalFacts, RemoteFacts
    from x11fwd.facts.place import PlaceFacts
    from x11fwd.pipeline.doctor import Means
    from x11fwd.target import Target
    from x11fwd.transports.base import Prompter, Transport, X11Offer

__all__ = ["Here"]


class Here:
    """What is known of this machine, and the display that is offered to every host; safe between threads."""

    def __init__(
        self, environ: Mapping[str, str], make: Callable[[], Means] = lambda: real_means(warm=False)
    ) -> None:
        self._make = make
        folder = state_folder(environ)
        self._records = Path(folder) / "seen" if folder else None
        self._lock = threading.Lock()
        self._found: Future[tuple[LocalFacts, X11Offer | None]] | None = None
        self._first: Means | None = None  # holds a connection to the display for as long as we live

    def look(self, target: Target) -> tuple[LocalFacts, X11Offer | None]:
        """The facts and the offer; whoever comes first gathers them, the others wait."""
        with self._lock:
            mine = self._found is None
            if self._found is None:
                self._found = Future()
            found = self._found
        if mine:
            try:
                self._first = self._make()
                local = self._first.gather_local(target)
                found.set_result((local, self._first.make_offer(local)))
            except BaseException as error:  # noqa: BLE001  raised again where the answer is wanted
                found.set_exception(error)
        return found.result()

    def means(self) -> Means:
        """The arrows for one host."""
        return _Shared(self, real_means(warm=False), self._records)


class _Shared:
    """One host's `Means`: its own questions, and the common answers about this machine."""

    def __init__(self, here: Here, own: Means, records: Path | None) -> None:
        self._here, self._own, self._records = here, own, records
        self._offer: X11Offer | None = None

    def gather_local(self, target: Target | None) -> LocalFacts:
        if target is None:
            return self._own.gather_local(None)
        local, self._offer = self._here.look(target)
        return local

    def make_offer(self, local: LocalFacts) -> X11Offer | None:
        del local
        return self._offer

    def connect(
        self,
        target: Target,
        prompter: Prompter,
        choice: str,
        x11: X11Offer | Callable[[], X11Offer | None] | None,
    ) -> Transport:
        from x11fwd.transports.choose import connect

        wanted = preference(choice)
        try:
            # ssh -G alone: from which lines its answer comes is doctor's question
            return connect(target, prompter=prompter, choice=wanted, x11=x11)
        except UsageError as error:
            # what ssh refuses is said of this host; the others' changes are not left alone because of it
            raise ConnectError(error.message, hint=error.hint) from error

    def gather_remote(self, transport: Transport, python: str | None) -> RemoteFacts:
        from x11fwd.facts.remote import gather_remote
        from x11fwd.facts.seen_before import SeenBefore

        config = transport.config
        name = f"{config.user}@{config.hostname}:{config.port} {python or ''}"
        seen = SeenBefore(self._records, name) if self._records and config.hostname else None
        return gather_remote(transport, python=python, seen=seen)

    def find_place(self) -> PlaceFacts:
        return self._own.find_place()

    def gather_here(self, place: PlaceFacts, python: str | None) -> RemoteFacts:
        return self._own.gather_here(place, python)

    def gather_client(self, local: LocalFacts) -> ClientFacts | None:
        return self._own.gather_client(local)
