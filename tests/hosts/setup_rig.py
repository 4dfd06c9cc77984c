"""What the tests of setup and undo share: targets for lab hosts, a person who answers, ears that keep."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.lab.reach import client_key
from x11fwd.pipeline.undo import UndoAnswer
from x11fwd.target import SshOptions, Target, parse_target

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.lab.host import Host
    from tests.lab.screen import Screen
    from x11fwd.facts.model import RemoteFacts
    from x11fwd.pipeline.undo import UndoPlan
    from x11fwd.steps.engine import SpokenLine, UndoResult
    from x11fwd.steps.journal import Entry
    from x11fwd.steps.plan import Change, ChangeResult, Plan
    from x11fwd.transports.base import HostKeyQuestion


class Person:
    """Knows the passwords of the lab and counts how often somebody asked."""

    def __init__(self, *secrets: str) -> None:
        self.secrets = list(secrets)
        self.asked: list[str] = []

    def accept_host_key(self, question: HostKeyQuestion) -> bool:
        raise AssertionError(question)

    def secret(self, prompt: str) -> str | None:
        self.asked.append(prompt)
        return self.secrets.pop(0) if len(self.secrets) > 1 else next(iter(self.secrets), None)

    def visible(self, prompt: str) -> str | None:
        raise AssertionError(prompt)

    def notice(self, text: str) -> None:
        del text


class Ears:
    """An `Events` that keeps one line for each thing it is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def doing(self, text: str) -> None:
        self.lines.append(f"doing {text}")

    def planned(self, plan: Plan, remote: RemoteFacts) -> None:
        self.lines.append("planned")

    def started(self, change: Change) -> None:
        self.lines.append(f"started {change.id}")

    def said(self, change: Change, line: SpokenLine) -> None:
        self.lines.append(f"{line.kind.value} {line.text}")

    def finished(self, change: Change, result: ChangeResult) -> None:
        self.lines.append("finished")

    def noted(self, text: str) -> None:
        self.lines.append(f"noted {text}")


class UndoEars:
    """The same for undo."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def doing(self, text: str) -> None:
        self.lines.append(f"doing {text}")

    def planned(self, plan: UndoPlan) -> None:
        self.lines.append("planned")

    def started(self, entry: Entry) -> None:
        self.lines.append(f"started {entry.id}")

    def said(self, entry: Entry, line: SpokenLine) -> None:
        self.lines.append(f"{line.kind.value} {line.text}")

    def finished(self, result: UndoResult) -> None:
        self.lines.append("finished")

    def noted(self, text: str) -> None:
        self.lines.append(f"noted {text}")


def yes(target: str, plan: Plan) -> bool:
    del target, plan
    return True


def undo_yes(target: str, plan: UndoPlan) -> UndoAnswer:
    del target, plan
    return UndoAnswer(go=True)


def target_of(host: Host, folder: Path, user: str = "ana", *, port: int | None = None) -> Target:
    """A Host block of ssh_config for a lab host, with its key known."""
    known_hosts, config = folder / f"known_hosts-{host.port}", folder / f"config-{host.port}-{user}"
    known_hosts.write_text(f"[{host.address}]:{port or host.port} {host.host_key()}\n", encoding="utf-8")
    block = [f"Host {host.hostname}", f"HostName {host.address}", f"Port {port or host.port}", f"User {user}"]
    block += [f"IdentityFile {client_key()}", "IdentitiesOnly yes", "GlobalKnownHostsFile /dev/null"]
    block += [f"UserKnownHostsFile {known_hosts}", "ConnectTimeout 60"]
    config.write_text("\n    ".join(block) + "\n", encoding="utf-8")
    return parse_target(host.hostname, SshOptions(config_file=str(config)))


def sit_at(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    """Use a screen of the lab as this machine's display."""
    for name, value in screen.env().items():
        monkeypatch.setenv(name, value)
