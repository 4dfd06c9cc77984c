"""The lines of our callback plugin as values; for the pipeline."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.resources import files

__all__ = ["CALLBACK", "Event", "FileDiff", "callback_text", "parse_event"]

CALLBACK = "x11fwd_events"


@dataclass(frozen=True)
class FileDiff:
    """One file before and after, as Ansible's `--diff` has it."""

    path: str
    before: str
    after: str


@dataclass(frozen=True)
class Event:
    """One event.

    Attributes:
        kind: `begin`, `start`, `ok`, `failed`, `unreachable` or `end`.
        host: the inventory's name.
        failed: at the end, names of the hosts on which a task failed.
        unreachable: at the end, names of those that could not be reached.
        version: ansible-core's, at the beginning.
    """

    kind: str
    host: str = ""
    task: str = ""
    action: str = ""
    changed: bool = False
    become: bool = False
    msg: str = ""
    stderr: str = ""
    diff: tuple[FileDiff, ...] = ()
    failed: frozenset[str] = frozenset()
    unreachable: frozenset[str] = frozenset()
    version: str = ""


def callback_text() -> str:
    """The plugin, for Ansible to load."""
    return files("x11fwd.ansible").joinpath("callback").joinpath(f"{CALLBACK}.py").read_text(encoding="utf-8")


def parse_event(line: str) -> Event | None:
    """One line of standard output; None for what is not ours."""
    try:
        told = json.loads(line)
    except ValueError:
        return None
    if not isinstance(told, dict) or not isinstance(told.get("event"), str):
        return None

    def text(name: str) -> str:
        value = told.get(name)
        return value if isinstance(value, str) else ""

    hosts = told.get("hosts")
    sums = (
        {str(name): one for name, one in hosts.items() if isinstance(one, dict)}
        if isinstance(hosts, dict)
        else {}
    )
    diffs = told.get("diff")
    return Event(
        kind=told["event"],
        host=text("host"),
        task=text("task").removeprefix("x11fwd : "),
        action=text("action").rpartition(".")[2],
        changed=told.get("changed") is True,
        become=told.get("become") is True,
        msg=text("msg"),
        stderr=text("stderr"),
        diff=tuple(_diff(one) for one in diffs if isinstance(one, dict)) if isinstance(diffs, list) else (),
        failed=frozenset(name for name, one in sums.items() if one.get("failures")),
        unreachable=frozenset(name for name, one in sums.items() if one.get("unreachable")),
        version=text("version"),
    )


def _diff(one: dict[str, object]) -> FileDiff:
    path = str(one.get("after_header") or one.get("before_header") or "")
    return FileDiff(path, str(one.get("before") or ""), str(one.get("after") or ""))
