"""An ssh agent that takes connections and says nothing: what doctor does, and what it says of it."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.lab.hosts import ChrootHost
    from tests.lab.person import Person


@pytest.fixture
def silent(person: Person) -> Iterator[Path]:
    """Its socket; the system takes connections for it, and nobody ever reads them."""
    path = person.home / "agent"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        path.chmod(0o777)
        listener.listen(64)
        yield path


def asked(person: Person, silent: Path, *words: str) -> tuple[int, dict[str, str]]:
    """Exit status and the finding on the connection."""
    command = person.x11fwd("doctor", "--json", "--transport", "paramiko", *words)
    done = person.run(command, env={"SSH_AUTH_SOCK": str(silent)}, timeout=400)
    assert done.stdout, done.stderr
    found = {one["id"]: one for one in json.loads(done.stdout)["findings"]}
    connection: dict[str, str] = found["ssh-connection"]
    return done.rc, connection


def test_a_login_that_went_without_it_says_so_among_the_details_and_one_that_failed_at_once(
    chroot_host: Callable[..., ChrootHost], person: Person, silent: Path
) -> None:
    alias = person.alias("gpu1", chroot_host("bookworm", "plot"))
    said = f"the ssh agent at {silent} was silent for 5 s, so its keys were left out"
    _, connection = asked(person, silent, alias)
    assert connection["status"] == "pass"
    assert connection["evidence"].endswith(said)
    _, connection = asked(person, silent, "-o", "IdentityAgent=none", alias)
    assert "agent" not in connection["evidence"]
    code, connection = asked(person, silent, "-l", "nobody", "-o", "BatchMode=yes", alias)
    assert (code, connection["status"]) == (3, "fail")
    assert said in f"{connection['title']} {connection['evidence']}"
