"""What an inventory says, as frozen values, and its error; for this package, the pipeline and the cli."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from x11fwd.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["Become", "Inventory", "InventoryError", "InventoryHost"]


class InventoryError(UsageError):
    """An inventory that cannot be meant; names the file and the line (1-based)."""

    def __init__(self, message: str, *, file: str, line: int, hint: str = "") -> None:
        super().__init__(f"{file}:{line}: {message}", hint=hint)
        self.file = file
        self.line = line


@dataclass(frozen=True)
class Become:
    """How to become root, as the variables `ansible_become…` say it.

    Attributes:
        wanted: None where nothing was said.
        method: `sudo`, `doas`, `su`, … as written; empty where nothing was said.
        user: empty for root.
        password: never shown.
    """

    wanted: bool | None = None
    method: str = ""
    user: str = ""
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class InventoryHost:
    """One host and how it is reached.

    Attributes:
        name: what the inventory and our reports call it.
        address: `ansible_host`; empty where it is the name itself.
        key_file: `ansible_ssh_private_key_file`.
        ssh_args: `ansible_ssh_common_args` and `ansible_ssh_extra_args`, split as a shell does.
        python: `ansible_python_interpreter`, by which Ansible itself runs over there.
        connection: `ansible_connection`; empty, `ssh` and the like are ours.
        password: `ansible_password`, never shown.
        groups: all it belongs to, without `all` and `ungrouped`, in the order of their names.
        variables: every variable that is one word or text, as written, the nearest definition.
    """

    name: str
    address: str = ""
    port: int | None = None
    user: str | None = None
    key_file: str | None = None
    ssh_args: tuple[str, ...] = ()
    python: str | None = None
    connection: str = ""
    password: str | None = field(default=None, repr=False)
    become: Become = field(default_factory=Become)
    groups: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), repr=False)

    @property
    def by_ssh(self) -> bool:
        """It is reached by ssh, and not `local` or in a container."""
        return self.connection.rpartition(".")[2] in {
            "",
            "ssh",
            "smart",
            "paramiko",
            "paramiko_ssh",
            "libssh",
        }


@dataclass(frozen=True)
class Inventory:
    """All hosts in the order of the file, and the groups.

    Attributes:
        groups: name -> names of its hosts, those of its children included; `all` and `ungrouped` too.
    """

    file: Path
    hosts: tuple[InventoryHost, ...]
    groups: Mapping[str, tuple[str, ...]]
