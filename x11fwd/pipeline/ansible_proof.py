"""Windows of hosts that Ansible has set up, opened beside its run; for ansible_engine only.

Whoever waits for a window must not keep Ansible waiting: its other hosts have watchers that wait for nobody.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from x11fwd.pipeline.setup_model import SetupStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from x11fwd.pipeline.setup_model import Events, SetupResult, Verify
    from x11fwd.target import Target

__all__ = ["Proof"]


class Proof:
    """Proves hosts, several at a time.

    Args:
        verify: None where no proof is wanted.
        jobs: how many at a time.
        stop: set on Ctrl-C; whoever has not begun then is not proven.
    """

    def __init__(self, verify: Verify | None, jobs: int, stop: threading.Event) -> None:
        self._verify, self._stop = verify, stop
        self._room = threading.Semaphore(max(1, jobs))
        self._threads: list[threading.Thread] = []
        self._fault: BaseException | None = None

    def of(
        self, result: SetupResult, target: Target, ears: Events, put: Callable[[SetupResult], None]
    ) -> None:
        """Hand `result` to `put`: at once, or with its proof when that is there."""
        verify = self._verify
        if verify is None or result.status is not SetupStatus.DONE or self._stop.is_set():
            put(result)
            return

        def work() -> None:
            try:
                with self._room:
                    proven = result
                    if not self._stop.is_set():
                        proven = replace(result, verification=verify(target, ears))
                put(proven)
            except BaseException as error:  # noqa: BLE001  raised by `wait`
                self._fault = error

        # a daemon: who leaves does not wait for a host that says nothing
        thread = threading.Thread(target=work, name="x11fwd-proof", daemon=True)
        self._threads.append(thread)
        thread.start()

    def wait(self) -> None:
        """Until all are proven; raises what came instead of a proof.

        A step at a time: a signal just before an endless wait would be lost.
        """
        for thread in self._threads:
            while thread.is_alive():
                thread.join(0.2)
        if self._fault is not None:
            raise self._fault
