"""Names that differ between systems, one YAML file per family; imported through `x11fwd.playbook` only.

A new distribution is a new file in `playbooks/families/` and no code: package names with conditions, the
package managers' argument vectors, service names per init, and how a service is reloaded.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from x11fwd.errors import PlaybookError
from x11fwd.playbook.conditions import read_conditions
from x11fwd.playbook.family import (
    Environments,
    Families,
    Family,
    Manager,
    PackageChoice,
    ServiceNames,
    StateCommands,
)
from x11fwd.playbook.load import package_names, playbooks_folder
from x11fwd.playbook.nodes import Place, read_document

if TYPE_CHECKING:
    from pathlib import Path


__all__ = ["ENVIRONMENTS_SCHEMA", "FAMILY_SCHEMA", "load_families"]

FAMILY_SCHEMA = "x11fwd.family/1"
ENVIRONMENTS_SCHEMA = "x11fwd.environments/1"
INITS = ("systemd", "socket", "openrc", "sysvinit", "launchd", "pid")
"""Who looks after a service; `socket` is systemd with a socket unit, `pid` is nobody: the process itself."""
_VARIABLE = re.compile(r"^[A-Z][A-Z0-9_]*$")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


def load_families(folder: Path | None = None) -> Families:
    """Read every family file of a folder of playbooks (default: the shipped one).

    Raises:
        PlaybookError: one of them cannot be meant, or two claim the same system.
    """
    folder = playbooks_folder() if folder is None else folder
    members = tuple(_family(path) for path in sorted((folder / "families").glob("*.yml")))
    claimed: dict[str, str] = {}
    for family in members:
        for os_id in family.ids:
            if os_id in claimed:
                message = f"`{os_id}` belongs to {claimed[os_id]} already"
                raise PlaybookError(message, file=family.file, line=1)
            claimed[os_id] = family.file
    return Families(members, _environments(folder / "environments.yml"))


def _environments(path: Path) -> Environments:
    fields = read_document(path, ENVIRONMENTS_SCHEMA).fields(("schema", "pip", "conda"))
    return Environments(
        pip={name: package_names(value) for name, value in fields["pip"].entries()},
        conda={name: package_names(value) for name, value in fields["conda"].entries()},
    )


def _family(path: Path) -> Family:
    root = read_document(path, FAMILY_SCHEMA)
    fields = root.fields(("schema", "name", "ids", "managers", "packages", "services", "states"), ("xauth",))
    return Family(
        name=fields["name"].line_text(),
        ids=fields["ids"].texts(),
        managers={name: _manager(name, place) for name, place in fields["managers"].entries()},
        packages={name: _choices(place) for name, place in fields["packages"].entries()},
        services={name: _service(place) for name, place in fields["services"].entries()},
        states=_states(fields["states"]),
        xauth=fields["xauth"].line_text() if "xauth" in fields else "",
        file=str(path),
    )


def _manager(name: str, place: Place) -> Manager:
    fields = place.fields(
        ("installed", "all_installed", "install", "remove", "by_hand", "by_hand_remove"),
        ("refresh", "lock_files", "environment"),
    )
    variables: list[tuple[str, str]] = []
    for key, value in fields["environment"].entries() if "environment" in fields else ():
        if not _VARIABLE.match(key):
            raise value.error(f"`{key}` is no environment variable")
        variables.append((key, value.line_text()))
    return Manager(
        name=name,
        installed=_argv(fields["installed"]),
        all_installed=_argv(fields["all_installed"]),
        refresh=_argv(fields["refresh"]) if "refresh" in fields else (),
        install=_argv(fields["install"]),
        remove=_argv(fields["remove"]),
        lock_files=fields["lock_files"].texts() if "lock_files" in fields else (),
        environment=tuple(variables),
        by_hand=_argvs(fields["by_hand"]),
        by_hand_remove=_argv(fields["by_hand_remove"]),
    )


def _choices(place: Place) -> tuple[PackageChoice, ...]:
    items = place.items()
    if not items:
        raise place.error(f"`{place.name}` is an empty list")
    if not items[0].is_mapping:
        return (PackageChoice(package_names(place)),)
    choices: list[PackageChoice] = []
    for item in items:
        fields = item.fields(("names",), ("when", "version", "backend"))
        if choices and not choices[-1].when:
            raise item.error("can never be taken: the choice before it has no `when`")
        when = read_conditions(fields["when"]) if "when" in fields else ()
        for condition in when:
            if not condition.fact.startswith(
                "system."
            ):  # what a package is called cannot hang on what is installed
                raise fields["when"].error(
                    f"`{condition.fact}`: only facts of `system.` choose package names"
                )
        choices.append(
            PackageChoice(
                names=package_names(fields["names"]),
                when=when,
                version=fields["version"].line_text() if "version" in fields else "",
                backend=fields["backend"].line_text() if "backend" in fields else "",
            )
        )
    return tuple(choices)


def _service(place: Place) -> ServiceNames:
    names = dict(place.fields((), INITS))
    if not names:
        raise place.error(f"`{place.name}` names no service")
    return ServiceNames({init: value.texts() for init, value in names.items()})


def _states(place: Place) -> dict[tuple[str, str], StateCommands]:
    found: dict[tuple[str, str], StateCommands] = {}
    for init, states in place.fields((), INITS).items():
        for state, value in states.fields((), ("reloaded", "started", "enabled")).items():
            fields = value.fields(("do",), ("check", "undo"))
            if state != "reloaded":  # nothing takes a reload back, everything else has to have its undo
                value.fields(("do", "check", "undo"))
            found[(init, state)] = StateCommands(
                check=_argv(fields["check"]) if "check" in fields else (),
                do=_argvs(fields["do"]),
                undo=_argvs(fields["undo"]) if "undo" in fields else (),
            )
    return found


def _argvs(place: Place) -> tuple[tuple[str, ...], ...]:
    vectors = tuple(_argv(item) for item in place.items())
    if not vectors:
        raise place.error(f"`{place.name}` is an empty list")
    return vectors


def _argv(place: Place) -> tuple[str, ...]:
    words = place.texts()
    for word in words:
        for name in _PLACEHOLDER.findall(word):
            if name in {"service", "pid"} or word.startswith("$") or "${" in word:
                continue
            raise place.error(f"unknown placeholder `{{{name}}}`; known are {{service}} and {{pid}}")
    return words
