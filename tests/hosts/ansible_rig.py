"""What the tests of Ansible share: inventories, the real ansible-playbook, and `setup --engine ansible`."""

from __future__ import annotations

import os
import sys
import threading
from typing import TYPE_CHECKING

from tests.hosts.setup_rig import Ears, Person, yes
from x11fwd.inventory import load_inventory, target_for
from x11fwd.pipeline.ansible_engine import AnsibleSettings, run_with_ansible
from x11fwd.pipeline.fleet import Member

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from tests.lab.host import Host
    from x11fwd.pipeline.setup import SetupOptions, SetupResult

INTERPRETER = "/usr/bin/python3"


def inventory(
    folder: Path, hosts: Sequence[Host], more: Mapping[str, str] | None = None, config: str = "none"
) -> Path:
    """An inventory of hosts of the lab, with their keys known.

    Args:
        more: further words of a host's line, by its name.
        config: a file for ssh's `-F`.
    """
    lines = []
    for host in hosts:
        known = folder / f"known-{host.port}"
        known.write_text(f"[{host.address}]:{host.port} {host.host_key()}\n", encoding="utf-8")
        words = (
            f"{host.hostname} ansible_host={host.address} ansible_port={host.port} ansible_user=ana",
            f"ansible_ssh_private_key_file={host.key_path} ansible_python_interpreter={INTERPRETER}",
            f"ansible_ssh_common_args='-F {config} -o IdentitiesOnly=yes -o UserKnownHostsFile={known}'",
            (more or {}).get(host.hostname, ""),
        )
        lines.append(" ".join(words))
    file = folder / f"hosts-{'-'.join(str(host.port) for host in hosts)}.ini"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def command(folder: Path, file: Path, playbook: Path, *more: str) -> tuple[list[str], dict[str, str]]:
    """The real ansible-playbook on an exported folder: its arguments and its environment."""
    settings = {"ANSIBLE_PIPELINING": "1", "ANSIBLE_NOCOLOR": "1", "LC_ALL": "C.UTF-8"}
    argv = [sys.executable, "-m", "ansible", "playbook", "-i", str(file), *more, str(playbook / "x11fwd.yml")]
    return argv, {**os.environ, **settings, "ANSIBLE_HOME": str(folder / "home")}


def through_ansible(
    file: Path,
    options: SetupOptions,
    *,
    ask: bool = False,
    vault: Path | None = None,
    told: Callable[[str], None] = lambda _name: None,
) -> tuple[dict[str, SetupResult], dict[str, Ears]]:
    """`setup --engine ansible` for all hosts of an inventory."""
    members = [Member(target_for(listed), listed) for listed in load_inventory(file).hosts]
    ears = {member.name: Ears() for member in members}
    finished: dict[str, SetupResult] = {}

    def finish(member: Member, result: SetupResult) -> None:
        assert member.name not in finished
        finished[member.name] = result
        told(member.name)

    results = run_with_ansible(
        members,
        options,
        AnsibleSettings(file, jobs=10, ask=ask, vault_password_file=vault),
        Person(),
        lambda target: ears[target.typed],
        yes,
        finished=finish,
        stop=threading.Event(),
    )
    assert {one.target: one for one in results} == finished
    return finished, ears
