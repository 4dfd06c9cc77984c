"""Everything the exported folder holds, path -> text; for this package only."""

from __future__ import annotations

import re
from importlib.resources import files
from typing import TYPE_CHECKING

from x11fwd.ansible.family_vars import (
    environment_vars,
    family_file,
    family_of,
    libraries_of_wheels,
    unknown_family_file,
)
from x11fwd.ansible.steps_tasks import brought, tasks, wanted_packages
from x11fwd.ansible.yaml_text import document
from x11fwd.facts.pythons import SYSTEM_FOLDERS
from x11fwd.facts.remote import python_text
from x11fwd.playbook.backends import TOOLKITS
from x11fwd.steps.python_packages import LACKING
from x11fwd.steps.script import boot_text, engine_text
from x11fwd.steps.sshd_block import HEADER

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.abc import Traversable

    from x11fwd.playbook import Families, Playbook

__all__ = ["role_files"]

ROLE = "roles/x11fwd"


def role_files(playbook: Playbook, families: Families) -> dict[str, str]:
    """The folder's files.

    Raises:
        PlaybookError: a step asks about something that Ansible cannot see.
    """
    wanted = tuple(dict.fromkeys((*wanted_packages(playbook), *libraries_of_wheels(families))))
    found = {f"{ROLE}/{path}": text for path, text in _walk(files("x11fwd.ansible").joinpath("role"), "")}
    found[f"{ROLE}/tasks/main.yml"] = document(
        tasks(playbook, families), heading=_paragraph(playbook.description)
    )
    found[f"{ROLE}/vars/main/playbook.yml"] = document(
        {
            "x11fwd_playbook": playbook.name,
            "x11fwd_brings": brought(playbook),
            "x11fwd_sshd_header": HEADER,
            "x11fwd_system_pythons": list(SYSTEM_FOLDERS),
            "x11fwd_toolkits": dict(TOOLKITS),
            **environment_vars(families),
            "x11fwd_family_of": family_of(families),
        },
        heading=("Of the playbook and of all families; the families' own names are in vars/families.",),
    )
    for family in families.members:
        found[f"{ROLE}/vars/families/{family.name}.yml"] = family_file(family, wanted)
    found[f"{ROLE}/vars/families/unknown.yml"] = unknown_family_file(wanted)
    found[f"{ROLE}/files/look.py"] = python_text()
    found[f"{ROLE}/files/lacking.py"] = LACKING
    found[f"{ROLE}/files/spool.sh"] = boot_text("spool")
    found[f"{ROLE}/files/engine.sh"] = engine_text()
    top = files("x11fwd.ansible").joinpath("top")
    for path, text in _walk(top, ""):
        found[path] = _filled(text, playbook)
    return dict(sorted(found.items()))


def _walk(folder: Traversable, lead: str) -> Iterator[tuple[str, str]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _walk(entry, f"{lead}{entry.name}/")
        else:
            yield f"{lead}{entry.name}", entry.read_text(encoding="utf-8")


def _filled(text: str, playbook: Playbook) -> str:
    return text.replace("@PLAYBOOK@", playbook.name).replace("@DESCRIPTION@", playbook.description.strip())


def _paragraph(text: str, width: int = 108) -> list[str]:
    lines: list[str] = []
    for word in re.split(r"\s+", text.strip()):
        if lines and len(lines[-1]) + 1 + len(word) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines
