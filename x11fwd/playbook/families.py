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
    OptionLines,
    PackageChoice,
    ServiceNames,
    StateCommands,
    SystemConfiguration,
)
from x11fwd.playbook.load import package_names, playbooks_folder
from x11fwd.playbook.nodes import Place, read_document

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path


__all__ = ["ENVIRONMENTS_SCHEMA", "FAMILY_SCHEMA", "load_families"]

FAMILY_SCHEMA = "x11fwd.family/1"
ENVIRONMENTS_SCHEMA = "x11fwd.environments/1"
INITS_SCHEMA = "x11fwd.inits/1"
INITS = ("systemd", "socket", "openrc", "sysvinit", "runit", "rc", "shepherd", "launchd", "pid")
"""Who looks after a service; `socket` is systemd with a socket unit, `pid` is nobody: the process itself."""
_VARIABLE = re.compile(r"^[A-Z][A-Z0-9_]*$")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_CHOOSING = ("system.", "python.version", "python.path")
_PYTHON = re.compile(r"\{python(?:-nodot)?\}")


def load_families(folder: Path | None = None) -> Families:
    """Read every family file of a folder of playbooks (default: the shipped one).

    Raises:
        PlaybookError: one of them cannot be meant, or two claim the same system.
    """
    folder = playbooks_folder() if folder is None else folder
    states = _inits(folder / "inits.yml")
    members = tuple(_family(path, states) for path in sorted((folder / "families").glob("*.yml")))
    claimed: dict[str, str] = {}
    for family in members:
        for os_id in family.ids:
            if os_id in claimed:
                message = f"`{os_id}` belongs to {claimed[os_id]} already"
                raise PlaybookError(message, file=family.file, line=1)
            claimed[os_id] = family.file
    return Families(members, _environments(folder / "environments.yml"), states)


def _inits(path: Path) -> dict[tuple[str, str], StateCommands]:
    """What every system has in common; a folder of somebody's own may be without it."""
    if not path.exists():
        return {}
    return _states(read_document(path, INITS_SCHEMA).fields(("schema", "states"))["states"].entries())


def _environments(path: Path) -> Environments:
    root = read_document(path, ENVIRONMENTS_SCHEMA)
    fields = root.fields(("schema", "pip", "conda"), ("instead", "libraries", "proof"))

    def table(name: str) -> dict[str, tuple[PackageChoice, ...]]:
        entries = fields[name].entries() if name in fields else ()
        return {key: _choices(value) for key, value in entries}

    def words(name: str) -> dict[str, str]:
        entries = fields[name].entries() if name in fields else ()
        return {key: value.text() for key, value in entries}

    return Environments(
        pip=table("pip"),
        conda=table("conda"),
        instead=words("instead"),
        libraries=table("libraries"),
        proof=words("proof"),
    )


def _family(path: Path, states: Mapping[tuple[str, str], StateCommands]) -> Family:
    root = read_document(path, FAMILY_SCHEMA)
    fields = root.fields(
        ("schema", "name", "ids", "managers", "packages", "services"), ("xauth", "states", "configuration")
    )
    generated = _configuration(fields["configuration"]) if "configuration" in fields else None
    return Family(
        name=fields["name"].line_text(),
        ids=fields["ids"].texts(),
        managers={name: _manager(name, place) for name, place in fields["managers"].entries()},
        packages={
            name: _choices(place, any_name=generated is not None)
            for name, place in fields["packages"].entries()
        },
        services={name: _service(place) for name, place in fields["services"].entries()},
        states={**states, **(_states(fields["states"].entries()) if "states" in fields else {})},
        xauth=fields["xauth"].line_text() if "xauth" in fields else "",
        file=str(path),
        configuration=generated,
    )


def _configuration(place: Place) -> SystemConfiguration:
    fields = place.fields(("file", "generated", "package", "options", "option", "apply", "undo"))
    options = [item.fields(("option", "value", "lines")) for item in fields["options"].items()]
    return SystemConfiguration(
        file=fields["file"].line_text(),
        generated=fields["generated"].texts(),
        package=_template(fields["package"], "names"),
        options=tuple(
            OptionLines(one["option"].line_text(), one["value"].line_text(), one["lines"].texts())
            for one in options
        ),
        option=_template(fields["option"], "option", "value"),
        apply=fields["apply"].texts(),
        undo=fields["undo"].texts(),
    )


def _template(place: Place, *names: str) -> str:
    text = place.line_text()
    for name in names:
        if f"{{{name}}}" not in text:
            raise place.error(f"`{place.name}` needs `{{{name}}}`")
    return text


_ACTS = ("installed", "all_installed", "install", "remove", "by_hand", "by_hand_remove")
_MAY = (
    *("refresh", "lock_files", "environment", "acts", "root", "offered", "try_remove", "lock_words"),
    *("lock_path", "hint", "by_hand_after"),
)


def _manager(name: str, place: Place) -> Manager:
    fields = dict(place.entries())
    acts = fields["acts"].flag() if "acts" in fields else True
    # what is only printed needs no commands of its own
    needed = _ACTS if acts else ("by_hand", "by_hand_remove")
    fields = place.fields(needed, (*_ACTS, *_MAY))
    variables: list[tuple[str, str]] = []
    for key, value in fields["environment"].entries() if "environment" in fields else ():
        if not _VARIABLE.match(key):
            raise value.error(f"`{key}` is no environment variable")
        variables.append((key, value.line_text()))

    def words(key: str) -> tuple[str, ...]:
        return fields[key].texts() if key in fields else ()

    def line(key: str) -> str:
        return fields[key].line_text() if key in fields else ""

    return Manager(
        name=name,
        installed=words("installed"),
        all_installed=words("all_installed"),
        refresh=words("refresh"),
        install=words("install"),
        remove=words("remove"),
        lock_files=words("lock_files"),
        environment=tuple(variables),
        by_hand=_argvs(fields["by_hand"]),
        by_hand_remove=words("by_hand_remove"),
        by_hand_after=_argvs(fields["by_hand_after"]) if "by_hand_after" in fields else (),
        acts=acts,
        root=fields["root"].flag() if "root" in fields else True,
        offered=words("offered"),
        try_remove=words("try_remove"),
        lock_words=words("lock_words"),
        lock_path=line("lock_path"),
        hint=line("hint"),
    )


def _choices(place: Place, *, any_name: bool = False) -> tuple[PackageChoice, ...]:
    """The ways to a package.

    Args:
        any_name: names are pieces of a description's language, which no command line ever sees.
    """
    items = place.items()
    if not items:
        raise place.error(f"`{place.name}` is an empty list")
    if not items[0].is_mapping:
        return (PackageChoice(place.texts() if any_name else package_names(place)),)
    choices: list[PackageChoice] = []
    for item in items:
        fields = item.fields(("names",), ("when", "version", "backend", "from", "says", "first"))
        if choices and not choices[-1].when:
            raise item.error("can never be taken: the choice before it has no `when`")
        when = read_conditions(fields["when"]) if "when" in fields else ()
        for condition in when:
            # what a package is called cannot hang on what is installed; Python's own version is in many names
            if not condition.fact.startswith(_CHOOSING):
                raise fields["when"].error(
                    f"`{condition.fact}`: only facts of `system.`, `python.version` and `python.path` choose "
                    "package names"
                )
        says = fields["says"].line_text() if "says" in fields else ""
        if not fields["names"].items() and not says:
            raise item.error(f"`{item.name}` has neither names nor `says`, which would say why")
        choices.append(
            PackageChoice(
                names=() if says and not fields["names"].items() else _names(fields["names"]),
                when=when,
                version=fields["version"].line_text() if "version" in fields else "",
                backend=fields["backend"].line_text() if "backend" in fields else "",
                source=fields["from"].line_text() if "from" in fields else "",
                says=says,
                first=fields["first"].texts() if "first" in fields else (),
            )
        )
    return tuple(choices)


def _names(place: Place) -> tuple[str, ...]:
    """Package names in which `{python}` stands for `3.11` and `{python-nodot}` for `311`."""
    return package_names(place, lambda name: _PYTHON.sub("3", name))


def _service(place: Place) -> ServiceNames:
    names = dict(place.fields((), INITS))
    if not names:
        raise place.error(f"`{place.name}` names no service")
    return ServiceNames({init: value.texts() for init, value in names.items()})


def _states(entries: Iterable[tuple[str, Place]]) -> dict[tuple[str, str], StateCommands]:
    found: dict[tuple[str, str], StateCommands] = {}
    for init, states in entries:
        if init not in INITS:
            raise states.error(f"unknown init `{init}`", hint=f"known ones: {', '.join(INITS)}")
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
            if name in {"service", "pid"}:
                continue
            raise place.error(f"unknown placeholder `{{{name}}}`; known are {{service}} and {{pid}}")
    return words
