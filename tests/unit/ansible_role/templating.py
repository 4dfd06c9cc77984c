"""The role's variables as Ansible itself works them out, for a host that is made up; tests beside it.

Ansible's own templating is used, in this process: nothing is reached and nothing is run.
"""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

import yaml
from ansible.parsing.dataloader import DataLoader  # type: ignore[import-untyped]
from ansible.template import Templar  # type: ignore[import-untyped]

from tests.unit.families.answers import FAMILIES
from x11fwd.ansible import role_files
from x11fwd.playbook import load_playbook

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tests.unit.families.answers import System

try:
    from ansible.template import trust_as_template as _trust  # since ansible-core 2.19
except ImportError:
    _trust = str

ROLE = "roles/x11fwd"
MANAGERS = {"apt-get": "apt", "xbps-install": "xbps", "emerge": "portage"}


@cache
def exported(playbook: str) -> dict[str, str]:
    """The folder of a shipped playbook."""
    return role_files(load_playbook(playbook), FAMILIES)


def read(text: str) -> Any:
    """A file of variables as Ansible reads it: its texts are templates."""
    return _trusted(DataLoader().load(text))


def _trusted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _trusted(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_trusted(one) for one in value]
    return _trust(str(value)) if isinstance(value, str) else value


def said(lines: Sequence[str] = (), rc: int = 0) -> dict[str, object]:
    """What a task of `command` registers."""
    return {"rc": rc, "stdout": "\n".join(lines), "stdout_lines": list(lines), "stderr": ""}


@cache
def role_vars(playbook: str) -> dict[str, Any]:
    """Everything that the role brings along but the families."""
    found: dict[str, Any] = {}
    for path, text in exported(playbook).items():
        if path.startswith((f"{ROLE}/vars/main/", f"{ROLE}/defaults/")):
            found.update(read(text))
    return found


@cache
def family_vars(playbook: str, family: str) -> dict[str, Any]:
    found = read(exported(playbook)[f"{ROLE}/vars/families/{family}.yml"])
    assert isinstance(found, dict)
    return found


@cache
def tasks(playbook: str, name: str) -> list[dict[str, Any]]:
    """A file of tasks."""
    found = yaml.safe_load(exported(playbook)[f"{ROLE}/tasks/{name}.yml"])
    assert isinstance(found, list)
    return found


class Role:
    """The role on one host, after its look."""

    def __init__(self, variables: Mapping[str, Any], playbook: str = "default") -> None:
        self.playbook = playbook
        self.variables: dict[str, Any] = {**role_vars(playbook), **variables}
        for task in tasks(playbook, "look"):
            if "ansible.builtin.include_vars" in task:
                self.variables.update(family_vars(playbook, str(self["x11fwd_family"])))
            self.keep(task)

    def keep(self, task: dict[str, Any]) -> None:
        """What `set_fact` does."""
        kept = task.get("ansible.builtin.set_fact", {})
        self.variables.update({name: self.text(template) for name, template in kept.items()})

    def choose(self, *, offered: bool = True, libraries: bool = True) -> None:
        """tasks/choose.yml with the answers to its questions."""
        self.variables.update(__x11fwd_offered={"skipped": True}, __x11fwd_libraries={"skipped": True})
        for task in tasks(self.playbook, "choose"):
            name = task.get("register")
            if name == "__x11fwd_offered" and self["x11fwd_manager.offered"] and not offered:
                self.variables[name] = said()
            elif name == "__x11fwd_libraries" and not libraries and self["x11fwd_asks_libraries"]:
                self.variables[name] = said([str(one) for one in self["x11fwd_libraries[x11fwd_stand_in]"]])
            self.keep(task)

    def __getitem__(self, name: str) -> Any:
        return self.text(f"{{{{ {name} }}}}")

    def text(self, template: str, folder: Path | None = None) -> Any:
        loader = DataLoader()
        if folder is not None:
            loader.set_basedir(str(folder))
        return Templar(loader, variables=self.variables).template(_trusted(template))


def on(
    system: System,
    playbook: str = "default",
    *,
    offered: bool = True,
    libraries: bool = True,
    rights: bool = True,
    python: Mapping[str, object] | None = None,
    **more: object,
) -> Role:
    """A bare host of systems.txt.

    Args:
        offered: repositories that not every host has are there.
        libraries: those that wheels load from the system are there.
        rights: there is a way to root's rights.
        python: what its Python says of itself instead of what systems.txt has.
    """
    kind = system.init.partition(" ")[0]
    look = {
        "os_ID": system.os_id,
        "os_ID_LIKE": system.os_like,
        "os_VERSION_ID": system.version,
        "kernel": {"macos": "Darwin", "freebsd": "FreeBSD"}.get(system.os_id, "Linux"),
        "init": kind,
        "image": system.image,
        "managers": " ".join(MANAGERS.get(word, word) for word in system.managers.split()),
        **dict.fromkeys(("xauth", "connection", "matplotlibrc", "mplconfigdir", "xdg_config_home"), ""),
        "sshd": "/usr/sbin/sshd",
    }
    if python is None and system.python:
        version, prefix, *flags = system.python.split()
        python = {
            "executable": f"{prefix}/bin/python3",
            "version": version,
            "prefix": prefix,
            "base_prefix": prefix,
            "managed": "managed" in flags,
            "pip": "pip" in flags,
            "conda": False,
        }
    role = Role(
        {
            "ansible_facts": {"user_uid": 1000, "user_id": "ana", "user_dir": "/home/ana"},
            "ansible_check_mode": False,
            "__x11fwd_look": said([f"{key}={value}" for key, value in look.items()]),
            "__x11fwd_python": said([json.dumps(python)]) if python else said(rc=1),
            "x11fwd_root": rights,
            "x11fwd_packages": list(load_playbook(playbook).steps[0].names),  # type: ignore[union-attr]
            **more,
        },
        playbook,
    )
    role.choose(offered=offered, libraries=libraries)
    return role
