"""Each step of a playbook as the task that includes the role's file for it; for this package only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from x11fwd.ansible.expressions import conditions
from x11fwd.playbook.conditions import EFFECTIVE
from x11fwd.playbook.model import (
    CommandStep,
    FileStep,
    MatplotlibrcStep,
    PackagesStep,
    ServiceStep,
    SshdOptionStep,
)

if TYPE_CHECKING:
    from x11fwd.ansible.yaml_text import Value
    from x11fwd.playbook import Families, Playbook, Step

__all__ = ["brought", "tasks", "wanted_packages"]


def wanted_packages(playbook: Playbook) -> tuple[str, ...]:
    """Every name that a step `packages` has, once."""
    steps = [step for step in playbook.steps if isinstance(step, PackagesStep)]
    return tuple(dict.fromkeys(name for step in steps for name in step.names))


def brought(playbook: Playbook) -> list[Value]:
    """The logical names among them that a backend can need."""
    return [name for name in wanted_packages(playbook) if name in {"tkinter", "qt", "matplotlib"}]


def tasks(playbook: Playbook, families: Families) -> list[Value]:
    """tasks/main.yml: a look at the host, then the steps in their order."""
    found: list[Value] = [_imported("Look at the host", "look.yml")]
    if _asks_sshd(playbook):
        found.append(_imported("Look at sshd", "look_sshd.yml"))
    for number, step in enumerate(playbook.steps, 1):
        file, variables = _step(step, families)
        tag = file.removesuffix(".yml")
        task: dict[str, Value] = {
            "name": f"Step {number}, {step.head.name}",
            "ansible.builtin.include_tasks": {"file": file, "apply": {"tags": [tag]}},
            "vars": variables,
        }
        if step.head.when:
            task["when"] = list(conditions(step.head.when))
        task["tags"] = [tag]
        found.append(task)
    return found


def _imported(name: str, file: str) -> dict[str, Value]:
    return {"name": name, "ansible.builtin.import_tasks": file, "tags": ["always"]}


def _asks_sshd(playbook: Playbook) -> bool:
    asked = (one.fact.startswith(EFFECTIVE) for step in playbook.steps for one in step.head.when)
    return any(isinstance(step, SshdOptionStep) for step in playbook.steps) or any(asked)


def _step(step: Step, families: Families) -> tuple[str, dict[str, Value]]:
    """The role's file, and what it has to be told."""
    if isinstance(step, PackagesStep):
        return "packages.yml", {"x11fwd_packages": list(step.names)}
    if isinstance(step, SshdOptionStep):
        return "sshd.yml", {"x11fwd_sshd_options": [f"{key} {value}" for key, value in step.options]}
    if isinstance(step, MatplotlibrcStep):
        return "matplotlibrc.yml", {"x11fwd_step_backend": step.backend}
    if isinstance(step, FileStep):
        path = f"{{{{ ansible_facts.user_dir }}}}{step.path[1:]}" if step.path.startswith("~/") else step.path
        return "file.yml", {
            "x11fwd_file_path": path,
            "x11fwd_file_content": _verbatim(step.content),
            "x11fwd_file_mode": f"{step.mode:04o}",
            "x11fwd_file_become": step.head.become,
        }
    if isinstance(step, ServiceStep):
        return "service.yml", _service(step, families)
    return "command.yml", _command(step)


def _service(step: ServiceStep, families: Families) -> dict[str, Value]:
    known = any(step.service in family.services for family in families.members)
    names = (
        f"(x11fwd_services['{step.service}'] | default({{}}))[x11fwd_look.init] | default(['{step.service}'])"
    )
    return {
        "x11fwd_service_name": f"{{{{ ({names})[0] }}}}" if known else step.service,
        "x11fwd_service_state": step.state.value,
        "x11fwd_service_become": step.head.become,
    }


def _command(step: CommandStep) -> dict[str, Value]:
    return {
        "x11fwd_command_name": step.head.name,
        "x11fwd_command_check": [_verbatim(word) for word in step.check],
        "x11fwd_command_do": [_verbatim(word) for word in step.do],
        "x11fwd_command_undo": [_verbatim(word) for word in step.undo],
        "x11fwd_command_become": step.head.become,
    }


def _verbatim(text: str) -> str:
    """Text in which Ansible must not look for templates."""
    if not any(mark in text for mark in ("{{", "{%", "{#")):
        return text
    return f"{{% raw %}}{text}{{% endraw %}}"
