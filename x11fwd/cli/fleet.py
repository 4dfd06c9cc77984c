"""What setup and undo share over many hosts: the options, who is meant, Ctrl-C, the answers as they come."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Generic, TypeVar

import typer

from x11fwd.cli.options import target_of
from x11fwd.errors import UsageError

if TYPE_CHECKING:
    from x11fwd.inventory import Inventory
    from x11fwd.pipeline.fleet import Fleet, Member
    from x11fwd.pipeline.fleet_state import RunState
    from x11fwd.target import SshOptions
    from x11fwd.ui.fleet import Ended, FleetView
    from x11fwd.ui.prompt import TerminalPrompter

__all__ = [
    "AskBecome",
    "Crew",
    "Engine",
    "Forms",
    "InventoryFile",
    "Jobs",
    "JsonLines",
    "Limit",
    "Resume",
    "VaultFile",
    "ask_become",
    "crew_of",
    "hear",
    "left_out",
    "typed_again",
]

R = TypeVar("R")
_PANEL = "Many hosts"

InventoryFile = Annotated[
    Path | None,
    typer.Option(
        "--inventory",
        metavar="FILE",
        help="The hosts: an Ansible inventory (INI or YAML), or one host a line.",
        rich_help_panel=_PANEL,
        show_default=False,
    ),
]
Engine = Annotated[
    str,
    typer.Option(
        "--engine",
        metavar="NAME",
        help="native, or ansible: the same playbook through your ansible-core.",
        rich_help_panel=_PANEL,
        show_default=False,
    ),
]
VaultFile = Annotated[
    Path | None,
    typer.Option(
        "--vault-password-file",
        metavar="FILE",
        help="For --engine ansible: opens what is in a vault.",
        rich_help_panel=_PANEL,
        show_default=False,
    ),
]
Limit = Annotated[
    str | None,
    typer.Option(
        "--limit",
        metavar="PATTERN",
        help="Only these of them, as Ansible has it: web:!old, gpu*, ~n\\d+, rack[0:3], @file.",
        rich_help_panel=_PANEL,
        show_default=False,
    ),
]
Jobs = Annotated[
    int | None,
    typer.Option(
        "--jobs",
        metavar="N",
        min=1,
        max=1000,
        help="How many at the same time (30).",
        rich_help_panel=_PANEL,
        show_default=False,
    ),
]
Resume = Annotated[
    bool,
    typer.Option(
        "--resume",
        help="Leave out what the last such run has brought to a good end.",
        rich_help_panel=_PANEL,
    ),
]
JsonLines = Annotated[
    bool,
    typer.Option(
        "--json", help="JSON on stdout instead of text; of many hosts a line as each ends, the whole last."
    ),
]
AskBecome = Annotated[
    bool,
    typer.Option(
        "--ask-become-pass",
        "-K",
        help="Ask once for sudo's password, for all hosts.",
        rich_help_panel=_PANEL,
    ),
]


@dataclass(frozen=True)
class Crew:
    """Who is meant.

    Attributes:
        members: none twice.
        many: they are reported as a fleet: several, or from an inventory.
        apart: hosts of the inventory that are not reached by ssh, with how they are.
        identity: what a later run must have alike to go on where this one ends.
    """

    members: tuple[Member, ...]
    many: bool
    apart: Mapping[str, str]
    identity: tuple[str, ...]


def crew_of(
    targets: Sequence[str],
    inventory: Path | None,
    limit: str | None,
    options: SshOptions,
    read: Callable[[Path], Inventory] | None = None,
) -> Crew:
    """The hosts that a command line means.

    Args:
        read: reads the inventory; None: as we do ourselves.

    Raises:
        UsageError: nobody, both ways of naming them at once, or something in the inventory or the pattern.
    """
    from x11fwd.inventory import choose_names, load_inventory, select, target_for
    from x11fwd.pipeline.fleet import Member

    if inventory is None:
        names = tuple(dict.fromkeys(targets))
        if not names:
            raise UsageError("no host is named", hint="give TARGETs, or `--inventory FILE`")
        chosen = choose_names(names, {}, limit) if limit else names
        members = tuple(Member(target_of(name, options)) for name in chosen)
        words = ("targets", *sorted(names), *options.argv())
        return Crew(members, len(names) > 1, {}, words)
    if targets:
        raise UsageError(
            "TARGETs and `--inventory` both name hosts",
            hint=f"`--limit {shlex.quote(','.join(targets))}` takes these of the inventory",
        )
    listed = (read or load_inventory)(inventory)
    hosts = select(listed, limit) if limit else listed.hosts
    if not hosts:
        raise UsageError(f"{inventory} names no host")
    ours = [host for host in hosts if host.by_ssh]
    apart = {host.name: host.connection for host in hosts if not host.by_ssh}
    members = tuple(Member(target_for(host, options), host) for host in ours)
    if not members:
        raise UsageError(f"none of the hosts of {inventory} is reached by ssh (`ansible_connection`)")
    identity = ("inventory", str(inventory.resolve()), *options.argv())
    return Crew(members, many=True, apart=apart, identity=identity)


def left_out(crew: Crew, view: FleetView) -> None:
    """Say which hosts of the inventory are not ours to reach."""
    for name, connection in crew.apart.items():
        view.note(name, f"left out: it is reached by `ansible_connection={connection}`, not by ssh")


def ask_become(prompter: TerminalPrompter) -> str:
    """sudo's password for all hosts.

    Raises:
        UsageError: there is nobody to ask.
    """
    password = prompter.secret("[sudo] password for all hosts: ")
    if password is None:
        raise UsageError("there is no terminal to ask on", hint="leave out `--ask-become-pass`")
    return password


@dataclass(frozen=True)
class Forms(Generic[R]):
    """How one host's answer is shown and kept.

    Attributes:
        ended: for the table.
        line: for `--json`, as it ends.
        code: its exit code.
        status: its word for the record.
    """

    ended: Callable[[R], Ended]
    line: Callable[[R], dict[str, object]]
    code: Callable[[R], int]
    status: Callable[[R], str]


def hear(
    fleet: Fleet[R],
    start: Callable[[Fleet[R]], None],
    forms: Forms[R],
    view: FleetView,
    state: RunState,
    prompter: TerminalPrompter,
    *,
    as_json: bool,
) -> tuple[R, ...]:
    """Run the fleet from the main thread: show, print and keep each answer as it comes.

    The first Ctrl-C begins nothing more and waits for the hosts that are being changed; the second waits for
    nobody. So do `kill` and a hang-up.

    Returns:
        The answers in the order of the members.
    """
    from x11fwd.cli.signals import taken

    def heard() -> None:
        if fleet.stop_asked.is_set():
            fleet.leave()
        else:
            fleet.stop()

    found: dict[str, R] = {}
    try:
        with taken(heard):
            for member, answer in fleet.answers(start):
                found[member.name] = answer
                state.record(member.name, forms.status(answer), forms.code(answer))
                if as_json:
                    print(json.dumps(forms.line(answer)), flush=True)
                view.ended(forms.ended(answer))
    finally:
        state.close()
        prompter.give_up()
    return tuple(found[member.name] for member in fleet.members)


def typed_again(command: str, words: Sequence[tuple[str, str | bool | None]], rest: Sequence[str]) -> str:
    """The command to type for what is left: the same one, with `--resume`.

    Args:
        words: options and their values; True stands for one without a value, None and False leave it out.
        rest: what follows them as it was typed.
    """
    given = ["x11fwd", command, "--resume"]
    for option, value in words:
        if value is True:
            given.append(option)
        elif value:
            given += [option, str(value)]
    return shlex.join([*given, *rest])
