"""One family of systems as a file of variables, and the names of all of them; for this package only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from x11fwd.ansible.expressions import chosen, names_of, text
from x11fwd.ansible.yaml_text import Value, document

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from x11fwd.playbook import Families, Family, Manager, PackageChoice

__all__ = ["environment_vars", "family_file", "family_of", "libraries_of_wheels", "unknown_family_file"]

LOGICAL = frozenset({"xauth", "tkinter", "qt", "matplotlib", "qt-libraries", "tk-headers"})
"""Names of playbooks that no package manager knows; any other one is the manager's own."""


def family_of(families: Families) -> dict[str, Value]:
    """os-release ID -> name of the family's file."""
    return {os_id: family.name for family in families.members for os_id in family.ids}


def family_file(family: Family, wanted: Iterable[str]) -> str:
    """vars/families/NAME.yml.

    Args:
        wanted: names of all packages that the playbook asks for.
    """
    matplotlib = family.packages.get("matplotlib", ())
    configuration = family.configuration
    values: dict[str, Value] = {
        "x11fwd_xauth": family.xauth,
        "x11fwd_managers": {name: _manager(manager) for name, manager in family.managers.items()},
        "x11fwd_package_names": {name: _names(name, family) for name in wanted},
        "x11fwd_package_says": _texts(family, wanted, lambda choice: choice.says),
        "x11fwd_package_sources": _texts(family, wanted, lambda choice: choice.source),
        "x11fwd_matplotlib": {
            "version": _template(chosen(matplotlib, lambda choice: text(choice.version), "''")),
            "backend": _template(chosen(matplotlib, lambda choice: text(choice.backend), "''")),
        },
        "x11fwd_services": {
            name: {init: list(words) for init, words in service.names.items()}
            for name, service in family.services.items()
        },
        "x11fwd_reloads": _reloads(family),
        "x11fwd_undos": _undos(family),
        "x11fwd_description": configuration.file if configuration else "",
    }
    return document(values, heading=(f"What systems of the family {family.name} call things.",))


def unknown_family_file(wanted: Iterable[str]) -> str:
    """The same for systems that no family claims: nothing can be installed there."""
    values: dict[str, Value] = {
        "x11fwd_xauth": "",
        "x11fwd_managers": {},
        "x11fwd_package_names": {name: [] if name in LOGICAL else [name] for name in wanted},
        "x11fwd_package_says": {},
        "x11fwd_package_sources": {},
        "x11fwd_matplotlib": {"version": "", "backend": ""},
        "x11fwd_services": {},
        "x11fwd_undos": {},
        "x11fwd_reloads": {"pid": [["kill", "-HUP", "{pid}"]]},
        "x11fwd_description": "",
    }
    return document(values, heading=("For systems that no family claims.",))


def environment_vars(families: Families) -> dict[str, Value]:
    """What pip and conda call things, and what else is known of their packages."""

    def table(names: Mapping[str, tuple[PackageChoice, ...]]) -> dict[str, Value]:
        return {name: _template(chosen(choices, names_of, "[]")) for name, choices in names.items()}

    environments = families.environments
    return {
        "x11fwd_environments": {"pip": table(environments.pip), "conda": table(environments.conda)},
        "x11fwd_instead": dict(environments.instead),
        "x11fwd_libraries": table(environments.libraries),
        "x11fwd_proof": dict(environments.proof),
    }


def libraries_of_wheels(families: Families) -> tuple[str, ...]:
    """The logical names of the libraries that stand-ins load from the system."""
    return tuple(f"{name}-libraries" for name in families.environments.libraries)


def _manager(manager: Manager) -> dict[str, Value]:
    return {
        "acts": manager.acts,
        "root": manager.root,
        "environment": dict(manager.environment),
        "installed": list(manager.installed),
        "all_installed": list(manager.all_installed),
        "refresh": list(manager.refresh),
        "install": list(manager.install),
        "remove": list(manager.remove),
        "try_remove": list(manager.try_remove),
        "offered": list(manager.offered),
        "lock_files": list(manager.lock_files),
        "lock_path": manager.lock_path,
        "lock_words": list(manager.lock_words),
        "hint": manager.hint,
        "by_hand": [list(argv) for argv in manager.by_hand],
    }


def _names(name: str, family: Family) -> Value:
    choices = family.packages.get(name)
    if choices is None:
        return [] if name in LOGICAL else [name]
    if len(choices) == 1 and not choices[0].when and "{" not in "".join(choices[0].names):
        return list(choices[0].names)
    return _template(chosen(choices, names_of, "[]"))


def _texts(family: Family, wanted: Iterable[str], read: Callable[[PackageChoice], str]) -> dict[str, Value]:
    """For each name with such a text, that of the choice that holds."""
    return {
        name: _template(chosen(family.packages[name], lambda choice: text(read(choice)), "''"))
        for name in wanted
        if any(read(choice) for choice in family.packages.get(name, ()))
    }


def _template(expression: str) -> str:
    return "" if expression == "''" else f"{{{{ {expression} }}}}"


def _reloads(family: Family) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for (init, state), commands in family.states.items():
        if state == "reloaded":
            found[init] = [list(argv) for argv in commands.do]
    found.setdefault("pid", [["kill", "-HUP", "{pid}"]])
    return found


def _undos(family: Family) -> dict[str, Value]:
    found: dict[str, dict[str, Value]] = {}
    for (init, state), commands in family.states.items():
        if commands.undo:
            found.setdefault(init, {})[state] = [list(argv) for argv in commands.undo]
    return dict(found)
