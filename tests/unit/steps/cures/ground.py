"""A ground over a real home directory: the real script answers, changes are plain writes; for tests here."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.unit.checks.seen import healthy_local, healthy_remote
from x11fwd.facts.account import AccountFacts, StartLine
from x11fwd.steps.cures.ground import Ground
from x11fwd.steps.plan import WriteFile
from x11fwd.steps.questions import ask
from x11fwd.target import parse_target
from x11fwd.transports.local import LocalTransport

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from x11fwd.facts.model import LocalFacts, RemoteFacts

HERE = parse_target("ana@gpu1")


def there(home: Path, *lines: StartLine, shell: str = "/bin/bash", **changes: object) -> Ground:
    """The machine with the program."""
    remote: RemoteFacts = healthy_remote()
    facts = {"account": AccountFacts(start_lines=lines), **changes}
    remote = replace(remote, home=replace(remote.home, path=str(home)), shell=shell, **facts)  # type: ignore[arg-type]
    return Ground(str(home), shell, None, remote, HERE)


def here(home: Path, typed: str = "ana@gpu1", **changes: object) -> Ground:
    """The machine with the screen."""
    local: LocalFacts = replace(healthy_local(), **changes)  # type: ignore[arg-type]
    return Ground(str(home), "/bin/bash", local, None, parse_target(typed))


def planned(ground: Ground, cure: Callable[[Ground], None]) -> Ground:
    """As the pipeline does it: a pass that asks, a pass that knows."""
    cure(ground)
    if not ground.questions.empty:
        ground = ground.knowing(ask(LocalTransport(), ground.questions))
        cure(ground)
        assert ground.questions.empty
    return ground


def write(ground: Ground) -> None:
    """Make the planned changes of files, where a link is followed."""
    for change in ground.changes():
        if isinstance(change.action, WriteFile):
            with open(change.action.path, "wb") as file:
                file.write(change.action.content)


def needs(program: str) -> str:
    """The program's path, or a skipped test."""
    path = shutil.which(program)
    if path is None:
        pytest.skip(f"this machine has no {program}")
    return path


def run(*argv: str, **env: str) -> str:
    """What a program says; it must end well."""
    done = subprocess.run(
        [needs(argv[0]), *argv[1:]],
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin", **env},
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
