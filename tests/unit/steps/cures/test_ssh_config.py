"""Blocks above the user's ssh_config, as `ssh -G` understands them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.unit.steps.cures.ground import here, planned, run, write
from x11fwd.facts.model import XauthFacts
from x11fwd.steps.cures.ssh_config import forward_timeout, xauth_location
from x11fwd.steps.plan import RunCommand, WriteFile

if TYPE_CHECKING:
    from pathlib import Path

CONFIGS = {
    "empty": "",
    "globals": "ServerAliveInterval 17\nXAuthLocation /gone\nForwardX11Timeout 60\n\nHost gpu1\n  User ana\n",
    "no last line end": "Host *\n  ServerAliveInterval 17\n  XAuthLocation /gone",
    "carriage returns": "Host gpu1\r\n  ServerAliveInterval 17\r\n  ForwardX11Timeout 60\r\n",
    "include": "Include {home}/more\nForwardX11Timeout 60\n",
    "match": "Match host gpu1\n  ServerAliveInterval 17\n  ForwardX11Timeout 60\n",
    "equals": "serveraliveinterval=17\nforwardx11timeout=60\n",
}


def answers(home: Path, host: str) -> dict[str, str]:
    lines = run("ssh", "-G", "-F", str(home / ".ssh/config"), host, HOME=str(home)).splitlines()
    return {name: value for name, _, value in (line.partition(" ") for line in lines)}


def prepared(home: Path, text: str) -> None:
    (home / ".ssh").mkdir()
    (home / "more").write_text(
        "Host gpu1\n  ServerAliveInterval 17\nHost other\n  Port 7\n", encoding="utf-8"
    )
    data = text.replace("{home}", str(home)).encode()
    (home / ".ssh/config").write_bytes(data)


@pytest.mark.parametrize("case", CONFIGS)
def test_ssh_reads_the_new_values_and_all_others_as_before(case: str, tmp_path: Path) -> None:
    prepared(tmp_path, CONFIGS[case])
    before = {host: answers(tmp_path, host) for host in ("gpu1", "other")}
    ground = here(tmp_path, xauth=XauthFacts("/opt/X11/bin/xauth"))
    write(planned(ground, xauth_location))
    write(planned(ground, forward_timeout))
    after = {host: answers(tmp_path, host) for host in ("gpu1", "other")}
    assert after["gpu1"]["forwardx11timeout"] == str(24 * 86400)
    for host, was in before.items():
        assert after[host].pop("xauthlocation") == "/opt/X11/bin/xauth"
        was.pop("xauthlocation", None)
        if host == "gpu1":
            was.pop("forwardx11timeout")
            after[host].pop("forwardx11timeout")
        assert after[host] == was
    assert planned(ground, xauth_location).changes() == ()
    assert planned(ground, forward_timeout).changes() == ()


def test_another_xauth_takes_the_place_of_the_older_block(tmp_path: Path) -> None:
    prepared(tmp_path, "Host *\n  User ana\n")
    write(planned(here(tmp_path, xauth=XauthFacts("/old/xauth")), xauth_location))
    write(planned(here(tmp_path, xauth=XauthFacts("/new/xauth")), xauth_location))
    text = (tmp_path / ".ssh/config").read_text(encoding="utf-8")
    assert text.count("XAuthLocation") == 1
    assert "/new/xauth" in text


def test_the_folder_is_made_for_the_user_alone(tmp_path: Path) -> None:
    folder, file = planned(here(tmp_path), forward_timeout).changes()
    assert isinstance(folder.action, RunCommand)
    assert folder.action.do[:3] == ("mkdir", "-m", "0700")
    assert isinstance(file.action, WriteFile)
    assert file.action.mode == 0o600
    assert file.action.before_sha256 is None
    assert "24 days and not 0" in file.note
    run(*folder.action.do)
    assert (tmp_path / ".ssh").stat().st_mode & 0o777 == 0o700
    run(*folder.action.check)
    run(*folder.action.undo)
    assert not (tmp_path / ".ssh").exists()


def test_hosts_and_paths_that_ssh_would_misread_are_named(tmp_path: Path) -> None:
    (tmp_path / ".ssh").mkdir()
    ground = here(tmp_path)
    assert ground.target is not None
    ground.target = replace(ground.target, host="gpu*")
    ground = planned(ground, forward_timeout)
    assert ground.changes() == ()
    assert ground.notes == ["no block of ~/.ssh/config can be made for a host called 'gpu*'"]
    ground = planned(here(tmp_path, xauth=XauthFacts("/Applications/X Quartz/xauth")), xauth_location)
    assert ground.changes() == ()
    assert ground.notes[0].startswith("ssh cannot run an xauth whose path has a blank")


def test_an_address_of_ipv6_is_a_host_like_others(tmp_path: Path) -> None:
    prepared(tmp_path, "")
    write(planned(here(tmp_path, "ssh://ana@[fd00::7]:2222"), forward_timeout))
    assert answers(tmp_path, "fd00::7")["forwardx11timeout"] == str(24 * 86400)
