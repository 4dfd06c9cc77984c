"""Plans `service`, and knows how sshd is made to read its files again; imported by planner, sshd_option."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from x11fwd.facts.model import Unknown
from x11fwd.playbook.model import ServiceState
from x11fwd.steps.plan import Change, ControlService, DiffLine
from x11fwd.steps.wording import slug

if TYPE_CHECKING:
    from x11fwd.playbook import ServiceStep
    from x11fwd.steps.planning import Planning

__all__ = ["plan_service", "reload_commands"]

Argv = tuple[str, ...]


def plan_service(step: ServiceStep, planning: Planning) -> tuple[Change, ...]:
    """The service where it is not in that state; `reloaded` only after a change of the same plan."""
    if step.state is ServiceState.RELOADED and not planning.changes:
        return ()
    init = planning.facts.system.init
    family = planning.family
    if isinstance(init, Unknown):
        planning.warn(f"how {step.service} is {step.state.value} here is not known ({init.reason})")
        return ()
    states = family.states if family else planning.families.states
    commands = states.get((init, step.state.value))
    if commands is None:
        planning.warn(f"how a service is {step.state.value} under `{init}` is not known; left alone")
        return ()
    name = _name(step.service, init, planning)
    check = _filled(commands.check, name)
    if check:
        answer = planning.command(check)
        if not isinstance(answer, Unknown) and answer.exit_status == 0:
            return ()
    do = tuple(_filled(argv, name) for argv in commands.do)
    undo = tuple(_filled(argv, name) for argv in commands.undo)
    verb = {"reloaded": "Reload", "started": "Start", "enabled": "Enable"}[step.state.value]
    return (
        Change(
            id=f"service-{slug(name)}-{step.state.value}",
            title=f"{verb} {name}",
            action=ControlService(name, step.state.value, do, undo),
            become=step.head.become,
            diff=(DiffLine("@", f"service {name}"), DiffLine("+", step.state.value)),
            admin_lines=(shlex.join(do[0]),),
            admin_undo=tuple(shlex.join(argv) for argv in undo[:1]),
        ),
    )


def reload_commands(planning: Planning) -> tuple[Argv, ...]:
    """The ways to make the running sshd read its files again, the surest first; never a restart.

    The daemon's own process is the last way: SIGHUP is sshd(8)'s word for reading everything again.
    """
    sshd, family = planning.facts.sshd, planning.family
    states = family.states if family else planning.families.states
    found: list[Argv] = []
    init = "pid"
    names: tuple[str, ...] = ("sshd",)
    if not isinstance(sshd.service, Unknown) and sshd.service[0] != "socket":
        init, names = sshd.service[0], (sshd.service[1],)
    elif not isinstance(planning.facts.system.init, Unknown):
        init = planning.facts.system.init
        if init == "systemd" and sshd.socket_unit is not None:
            init = "socket"
        service = family.services.get("sshd") if family else None
        names = service.names.get(init, names) if service else names
    # with names guessed, each way is tried with every name before the next way
    for argv in states[(init, "reloaded")].do if (init, "reloaded") in states else ():
        found += [_filled(argv, name) for name in names]
    if init != "socket":
        last = states.get(("pid", "reloaded"))
        found += last.do if last else (("kill", "-HUP", "{pid}"),)
    return tuple(dict.fromkeys(found))


def _name(service: str, init: str, planning: Planning) -> str:
    family, sshd = planning.family, planning.facts.sshd.service
    if service == "sshd" and not isinstance(sshd, Unknown) and sshd[0] == init:
        return sshd[1]
    known = family.services.get(service) if family else None
    return known.names.get(init, (service,))[0] if known else service


def _filled(argv: Argv, service: str) -> Argv:
    return tuple(word.replace("{service}", service) for word in argv)
