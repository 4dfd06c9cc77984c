"""The values a playbook file becomes; imported by the rest of this package, by steps and pipeline."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

__all__ = [
    "CommandStep",
    "Condition",
    "FileStep",
    "MatplotlibrcStep",
    "Operator",
    "PackagesStep",
    "Playbook",
    "ServiceState",
    "ServiceStep",
    "SshdOptionStep",
    "Step",
    "StepHead",
]


class Operator(Enum):
    IS = "is"
    IS_NOT = "is not"
    LESS = "<"
    LESS_EQUAL = "<="
    GREATER = ">"
    GREATER_EQUAL = ">="


@dataclass(frozen=True)
class Condition:
    """One line under `when`: a fact, an operator, a value.

    Attributes:
        fact: a name of `conditions.FACTS`, or `sshd.effective.` and a keyword.
        value: a word, a version, `missing` (looked, and not there) or `present` (there, whatever it says).
        file, line: where it stands (1-based).
    """

    fact: str
    operator: Operator
    value: str
    file: str = ""
    line: int = 0

    def __str__(self) -> str:
        return f"{self.fact} {self.operator.value} {self.value}"


@dataclass(frozen=True)
class StepHead:
    """What every step has.

    Attributes:
        name: for the person, unique in its playbook.
        when: all of them must hold.
        become: needs root's rights.
        file, line: where the step starts.
    """

    name: str
    when: tuple[Condition, ...]
    become: bool
    file: str
    line: int


@dataclass(frozen=True)
class PackagesStep:
    """Things that have to be installed: logical names of the family file, or the manager's own names."""

    head: StepHead
    names: tuple[str, ...]


@dataclass(frozen=True)
class SshdOptionStep:
    """Keywords of sshd_config(5) and the value that sshd must give them for this user."""

    head: StepHead
    options: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class MatplotlibrcStep:
    """The backend that matplotlib's configuration must ask for."""

    head: StepHead
    backend: str


@dataclass(frozen=True)
class FileStep:
    """One file with this content; `path` is absolute or begins with `~/`."""

    head: StepHead
    path: str
    content: str
    mode: int


class ServiceState(Enum):
    RELOADED = "reloaded"
    STARTED = "started"
    ENABLED = "enabled"


@dataclass(frozen=True)
class ServiceStep:
    """A service (a logical name of the family file, or the init's own) and the state it must be in."""

    head: StepHead
    service: str
    state: ServiceState


@dataclass(frozen=True)
class CommandStep:
    """A command of the playbook's own; `check` exits 0 when nothing needs doing, `undo` takes `do` back."""

    head: StepHead
    check: tuple[str, ...]
    do: tuple[str, ...]
    undo: tuple[str, ...]


Step = PackagesStep | SshdOptionStep | MatplotlibrcStep | FileStep | ServiceStep | CommandStep


@dataclass(frozen=True)
class Playbook:
    """One playbook file.

    Attributes:
        name: `default`, `qt`, ….
        description: one or two sentences.
        steps: in order.
        file: where it was read.
    """

    name: str
    description: str
    steps: tuple[Step, ...]
    file: str
