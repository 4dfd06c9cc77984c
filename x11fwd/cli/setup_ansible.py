"""`x11fwd setup --engine ansible`: how it stands in for our own engine; imported by cli/setup_fleet.py."""

from __future__ import annotations

import atexit
import threading
from typing import TYPE_CHECKING

from x11fwd.cli.fleet import ask_become

if TYPE_CHECKING:
    from collections.abc import Callable

    from x11fwd.checks.report import Report
    from x11fwd.cli.setup_fleet import FleetSetup
    from x11fwd.pipeline.fleet import Fleet
    from x11fwd.pipeline.setup_model import Approve, Events, SetupResult
    from x11fwd.playbook import Playbook
    from x11fwd.target import Target
    from x11fwd.ui.fleet import FleetView
    from x11fwd.ui.prompt import TerminalPrompter

__all__ = ["start_ansible"]

_LAST = 60.0  # seconds for Ansible to end behind its last host


def start_ansible(
    asked: FleetSetup,
    playbook: Playbook,
    fleet: Fleet[SetupResult],
    view: FleetView,
    prompter: TerminalPrompter,
    approve: Approve,
) -> Callable[[Fleet[SetupResult]], None]:
    """One thread that runs ansible-playbook for all hosts."""
    from x11fwd.pipeline.ansible_engine import AnsibleSettings, run_with_ansible
    from x11fwd.pipeline.ansible_process import program
    from x11fwd.pipeline.asking import OneAtATime
    from x11fwd.transports.scratch import usual_place

    program()  # a missing one is said before anybody is asked for anything
    password = ask_become(prompter) if asked.ask_become else None
    shared = OneAtATime(prompter, threading.RLock())
    settings = AnsibleSettings(
        asked.inventory,
        asked.jobs,
        ask=not asked.yes,
        vault_password_file=asked.vault_password_file,
        become_password=password,
    )

    def prove(target: Target, events: Events) -> Report | None:
        if asked.verify is None or fleet.stop_asked.is_set():
            return None
        return asked.verify(target, events)

    def work() -> None:
        members = [member for member in fleet.members if fleet.begin(member.name)]
        if not members:
            return
        try:
            run_with_ansible(
                members,
                asked.options,
                settings,
                shared,
                lambda target: view.watch(target.typed, lambda _plan: None),
                approve,
                playbook=playbook,
                finished=fleet.put,
                verify=prove if asked.verify else None,
                stop=fleet.stop_asked,
            )
        except BaseException as error:  # noqa: BLE001  the answer of all, or raised in the main thread
            for member in members:
                fleet.fail(member, error)

    def start(fleet: Fleet[SetupResult]) -> None:
        usual_place()  # from now on programs are ended with this process, and what follows comes before that
        thread = threading.Thread(target=work, name="x11fwd-ansible", daemon=True)
        thread.start()

        def wait() -> None:
            # the last host has answered, and Ansible puts away what it has in ~/.ansible
            if not fleet.stop_asked.is_set():
                thread.join(_LAST)

        atexit.register(wait)

    return start
