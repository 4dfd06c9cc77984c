"""Conditions of playbooks and names of families as Jinja over the role's variables; for this package only."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from x11fwd.errors import PlaybookError
from x11fwd.playbook.conditions import EFFECTIVE
from x11fwd.playbook.model import Condition, Operator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from x11fwd.playbook import PackageChoice

__all__ = ["FACTS", "chosen", "condition", "conditions", "names_of", "text"]

FACTS: dict[str, str] = {
    "system.family": "x11fwd_family",
    "system.kernel": "x11fwd_look.kernel",
    "system.id": "x11fwd_os_names[0]",
    "system.version": "x11fwd_os_version",
    "system.init": "x11fwd_look.init",
    "user.name": "ansible_facts.user_id",
    "user.root": "x11fwd_user_root",
    "privilege.kind": "x11fwd_privilege",
    "manager.name": "x11fwd_manager_name",
    "sshd.version": "x11fwd_look.sshd_version",
    "xauth.path": "x11fwd_look.xauth",
    "python.path": "x11fwd_python_path",
    "python.kind": "x11fwd_python_kind",
    "python.version": "x11fwd_python_version",
    "python.tkinter": "x11fwd_tkinter",
    "python.qt": "x11fwd_qt",
    "python.externally_managed": "x11fwd_python_managed",
    "matplotlib.version": "x11fwd_rc_release",
    "matplotlib.backend": "x11fwd_rc_now",
}
"""Fact -> where the role has it (role/vars/main/seen.yml); "" stands for what is not there."""

_PLACEHOLDERS = {
    "{python}": "x11fwd_python_short",
    "{python-nodot}": "x11fwd_python_short | replace('.', '')",
}
_HOLES = re.compile("|".join(re.escape(hole) for hole in _PLACEHOLDERS))


def condition(one: Condition) -> str:
    """One condition as an expression.

    Raises:
        PlaybookError: it asks about something that Ansible cannot see.
    """
    if one.fact.startswith(EFFECTIVE):
        fact = f"x11fwd_effective[{text(one.fact.removeprefix(EFFECTIVE))}] | default('')"
        fact = f"({fact})"
    elif one.fact in FACTS:
        fact = FACTS[one.fact]
    else:
        raise PlaybookError(
            f"`{one}` cannot be asked by Ansible",
            file=one.file,
            line=one.line,
            hint="leave that condition out, or set the hosts up with x11fwd's own engine",
        )
    if one.operator not in {Operator.IS, Operator.IS_NOT}:
        # what is not there is never older or newer
        return f"({fact} != '' and {fact} is version({text(one.value)}, {text(one.operator.value)}))"
    equal = "==" if one.operator is Operator.IS else "!="
    if one.value == "missing":
        return f"{fact} {equal} ''"
    if one.value == "present":
        return f"{fact} {'!=' if equal == '==' else '=='} ''"
    return f"({fact} | lower) {equal} {text(one.value.lower())}"


def conditions(several: Sequence[Condition]) -> list[str]:
    """Each as an expression, for `when`."""
    return [condition(one) for one in several]


def chosen(choices: Iterable[PackageChoice], say: Callable[[PackageChoice], str], otherwise: str) -> str:
    """What the first choice whose conditions hold says; `otherwise` where none does."""
    parts: list[str] = []
    for choice in choices:
        if not choice.when:
            return " else ".join([*parts, say(choice)])
        parts.append(f"{say(choice)} if {' and '.join(conditions(choice.when))}")
    return " else ".join([*parts, otherwise])


def names_of(choice: PackageChoice) -> str:
    """The names as a list in Jinja; `{python}` is the version of the user's Python."""
    return f"[{', '.join(_with_holes(name) for name in choice.names)}]"


def _with_holes(name: str) -> str:
    parts: list[str] = []
    at = 0
    for hole in _HOLES.finditer(name):
        if hole.start() > at:
            parts.append(text(name[at : hole.start()]))
        parts.append(f"({_PLACEHOLDERS[hole.group()]})")
        at = hole.end()
    if at < len(name) or not parts:
        parts.append(text(name[at:]))
    return " ~ ".join(parts)


def text(word: str) -> str:
    """A string in Jinja.

    Ansible before 2.19 doubles backslashes, so a quote cannot be escaped: it stands between the other quotes.
    """
    if "'" in word and '"' in word:
        return " ~ ".join(_quoted(part) for part in re.split(r"('+)", word) if part)
    return _quoted(word)


def _quoted(word: str) -> str:
    escaped = word.replace("\\", "\\\\").replace("\n", "\\n")
    return f'"{escaped}"' if "'" in word else f"'{escaped}'"
