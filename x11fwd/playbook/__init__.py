"""Playbooks: what setup should reach, as data that people write; imported by steps and pipeline.

The only package that may import yaml. `load_playbook` and `load_families` are the way in; everything they
return is frozen and checked, so that a step never sees a wrong key or type.
"""

from __future__ import annotations

from x11fwd.playbook.backends import TOOLKITS, canonical
from x11fwd.playbook.families import load_families
from x11fwd.playbook.family import (
    Environments,
    Families,
    Family,
    Manager,
    OptionLines,
    PackageChoice,
    ServiceNames,
    StateCommands,
    SystemConfiguration,
)
from x11fwd.playbook.load import load_playbook, playbook_names, playbooks_folder
from x11fwd.playbook.model import (
    CommandStep,
    Condition,
    FileStep,
    MatplotlibrcStep,
    Operator,
    PackagesStep,
    Playbook,
    ServiceState,
    ServiceStep,
    SshdOptionStep,
    Step,
)

__all__ = [
    "TOOLKITS",
    "CommandStep",
    "Condition",
    "Environments",
    "Families",
    "Family",
    "FileStep",
    "Manager",
    "MatplotlibrcStep",
    "Operator",
    "OptionLines",
    "PackageChoice",
    "PackagesStep",
    "Playbook",
    "ServiceNames",
    "ServiceState",
    "ServiceStep",
    "SshdOptionStep",
    "StateCommands",
    "Step",
    "SystemConfiguration",
    "canonical",
    "load_families",
    "load_playbook",
    "playbook_names",
    "playbooks_folder",
]
