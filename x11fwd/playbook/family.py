"""The values a family file becomes; imported by the rest of this package and by steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from x11fwd.playbook.model import Condition

__all__ = [
    "Environments",
    "Families",
    "Family",
    "Manager",
    "PackageChoice",
    "ServiceNames",
    "StateCommands",
]


@dataclass(frozen=True)
class PackageChoice:
    """One way to get a logical package; the first choice whose conditions hold is taken.

    Attributes:
        names: the manager's package names.
        version: what the package brings, where steps need to know before it is installed (matplotlib).
        backend: the backend that the package's own matplotlibrc asks for, "" where it leaves the choice open.
    """

    names: tuple[str, ...]
    when: tuple[Condition, ...] = ()
    version: str = ""
    backend: str = ""


@dataclass(frozen=True)
class Manager:
    """One package manager; see `steps.plan.PackageCommands` for what each command has to print.

    Attributes:
        by_hand: what a person would type to install; the names are appended to the last of them.
        by_hand_remove: the same for taking them away.
    """

    name: str
    installed: tuple[str, ...]
    all_installed: tuple[str, ...]
    refresh: tuple[str, ...]
    install: tuple[str, ...]
    remove: tuple[str, ...]
    lock_files: tuple[str, ...]
    environment: tuple[tuple[str, str], ...]
    by_hand: tuple[tuple[str, ...], ...]
    by_hand_remove: tuple[str, ...]


@dataclass(frozen=True)
class ServiceNames:
    """The names of one service: init -> candidates, the likeliest first."""

    names: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class StateCommands:
    """How one init brings a service into one state; `{service}` and `{pid}` stand for themselves.

    Attributes:
        check: exits 0 when the service is in that state already; empty where that cannot be asked.
        do: argument vectors to try in order.
        undo: argument vectors that take it back; empty for a reload.
    """

    check: tuple[str, ...]
    do: tuple[tuple[str, ...], ...]
    undo: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Family:
    """One family of systems.

    Attributes:
        ids: os-release IDs that belong to it; ID_LIKE is looked at after every family's IDs.
        packages: logical name -> choices.
        states: (init, state) -> commands.
        xauth: where the family's package puts xauth.
    """

    name: str
    ids: tuple[str, ...]
    managers: Mapping[str, Manager]
    packages: Mapping[str, tuple[PackageChoice, ...]]
    services: Mapping[str, ServiceNames]
    states: Mapping[tuple[str, str], StateCommands]
    xauth: str
    file: str


@dataclass(frozen=True)
class Environments:
    """Logical package names as pip and conda know them; a name that is missing cannot be had there."""

    pip: Mapping[str, tuple[str, ...]]
    conda: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Families:
    """Every family file, and the names inside Python environments."""

    members: tuple[Family, ...]
    environments: Environments

    def find(self, os_id: str, os_like: tuple[str, ...]) -> Family | None:
        """The family of a system: by its own ID first, then by ID_LIKE in order (os-release(5))."""
        for word in (os_id, *os_like):
            for family in self.members:
                if word in family.ids:
                    return family
        return None
