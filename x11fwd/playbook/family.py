"""The values a family file becomes; imported by the rest of this package and by steps."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from x11fwd.playbook.model import Condition

__all__ = [
    "Environments",
    "Families",
    "Family",
    "Manager",
    "OptionLines",
    "PackageChoice",
    "ServiceNames",
    "StateCommands",
    "SystemConfiguration",
]


@dataclass(frozen=True)
class PackageChoice:
    """One way to get a logical package; the first choice whose conditions hold is taken.

    Attributes:
        names: the manager's package names.
        version: what the package brings, where steps need to know before it is installed (matplotlib).
        backend: the backend that the package's own matplotlibrc asks for, "" where it leaves the choice open.
        source: repositories that not every host has, and how they are had; "" where the usual ones do.
        says: why there is no package, instead of names.
        first: shell lines that have to come before, where a person installs by hand.
    """

    names: tuple[str, ...]
    when: tuple[Condition, ...] = ()
    version: str = ""
    backend: str = ""
    source: str = ""
    says: str = ""
    first: tuple[str, ...] = ()


@dataclass(frozen=True)
class Manager:
    """One package manager; see `steps.plan.PackageCommands` for what each command has to print.

    Attributes:
        by_hand: what a person would type to install; the names are appended to the last of them.
        by_hand_remove: the same for taking them away.
        by_hand_after: what has to follow.
        acts: x11fwd runs it; otherwise the lines of `by_hand` are printed.
        root: it needs root's rights; otherwise it must not have them.
        offered: prints those of the appended names that could be installed; empty: nobody can say cheaply.
        try_remove: fails where something else needs what is appended.
        lock_words: what it says when somebody else holds its lock.
        lock_path: a file that is there as long as somebody holds it.
        hint: what to do where an install fails.
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
    by_hand_after: tuple[tuple[str, ...], ...] = ()
    acts: bool = True
    root: bool = True
    offered: tuple[str, ...] = ()
    try_remove: tuple[str, ...] = ()
    lock_words: tuple[str, ...] = ()
    lock_path: str = ""
    hint: str = ""


@dataclass(frozen=True)
class OptionLines:
    """The lines that give one option of sshd one value in a system's own description."""

    option: str
    value: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class SystemConfiguration:
    """A system that is generated from one file: nothing of it is edited, the lines for that file are printed.

    Attributes:
        file: the description.
        generated: prefixes of paths that come out of it.
        package: a line with `{names}`.
        options: known options of sshd; `option` is the line for any other, with `{option}` and `{value}`.
        apply, undo: shell lines that bring it about and take it back.
    """

    file: str
    generated: tuple[str, ...]
    package: str
    options: tuple[OptionLines, ...]
    option: str
    apply: tuple[str, ...]
    undo: tuple[str, ...]


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
        managers: the first of them that is there is used.
        packages: logical name -> choices.
        states: (init, state) -> commands; those of `inits.yml` where the family has none of its own.
        xauth: where the family's package puts xauth.
        configuration: where the system comes out of a description.
    """

    name: str
    ids: tuple[str, ...]
    managers: Mapping[str, Manager]
    packages: Mapping[str, tuple[PackageChoice, ...]]
    services: Mapping[str, ServiceNames]
    states: Mapping[tuple[str, str], StateCommands]
    xauth: str
    file: str
    configuration: SystemConfiguration | None = None


@dataclass(frozen=True)
class Environments:
    """Logical package names as pip and conda know them; a name that is missing cannot be had there.

    Attributes:
        instead: what a wheel can do in the place of what none can.
        libraries: what wheels of a name load from the system.
        proof: lines of Python that have to run afterwards.
    """

    pip: Mapping[str, tuple[PackageChoice, ...]]
    conda: Mapping[str, tuple[PackageChoice, ...]]
    instead: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    libraries: Mapping[str, tuple[PackageChoice, ...]] = field(default_factory=lambda: MappingProxyType({}))
    proof: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True)
class Families:
    """Every family file, the names inside Python environments, and what each init does on any system."""

    members: tuple[Family, ...]
    environments: Environments
    states: Mapping[tuple[str, str], StateCommands] = field(default_factory=lambda: MappingProxyType({}))

    def find(self, os_id: str, os_like: tuple[str, ...]) -> Family | None:
        """The family of a system: by its own ID first, then by ID_LIKE in order (os-release(5))."""
        for word in (os_id, *os_like):
            for family in self.members:
                if word in family.ids:
                    return family
        return None
