"""What x11fwd never does itself: lines of a system's description, packages of an image; steps only."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from x11fwd.steps.plan import ByHand, Change, DiffLine
from x11fwd.steps.wording import listed, slug

if TYPE_CHECKING:
    from x11fwd.playbook import Manager, PackageChoice, SystemConfiguration
    from x11fwd.steps.planning import Planning

__all__ = ["configured", "configured_options", "printed", "warn_of_image"]


def configured(system: SystemConfiguration, names: tuple[str, ...]) -> Change:
    """Packages of a system that is generated from one file: the lines for that file."""
    line = system.package.replace("{names}", " ".join(names))
    return _described(system, "packages-system", f"Add {listed(names)} to {system.file}", (line,))


def configured_options(system: SystemConfiguration, options: tuple[tuple[str, str], ...]) -> Change:
    """Options of sshd, the same way."""
    lines: list[str] = []
    for keyword, value in options:
        wanted = (keyword, value)
        known = next((one.lines for one in system.options if (one.option, one.value) == wanted), None)
        lines += known or (system.option.replace("{option}", keyword).replace("{value}", value),)
    words = " and ".join(f"{key} {value}" for key, value in options)
    name = f"sshd-{slug(options[0][0])}"
    return _described(system, name, f"Set {words} in {system.file}", tuple(lines))


def _described(system: SystemConfiguration, name: str, title: str, lines: tuple[str, ...]) -> Change:
    return Change(
        id=name,
        title=title,
        action=ByHand(),
        become=True,
        diff=(DiffLine("@", system.file), *(DiffLine("+", line) for line in lines)),
        admin_lines=(f"# into {system.file}:", *(f"#     {line}" for line in lines), *system.apply),
        admin_undo=(f"# take these lines out of {system.file} again, or:", *system.undo),
    )


def printed(manager: Manager, names: tuple[str, ...], choices: tuple[PackageChoice, ...]) -> Change:
    """Packages of a manager that x11fwd does not run."""
    first = [line for one in choices if set(one.names) & set(names) for line in one.first]
    # what was there before and is only built anew does not go with the rest
    anew = {name for one in choices if one.first for name in one.names}
    new = tuple(name for name in names if name not in anew)
    undo = (shlex.join((*manager.by_hand_remove, *new)),) if new else ()
    return Change(
        id="packages-system",
        title=f"Install {listed(names)}",
        action=ByHand(),
        become=True,
        diff=(DiffLine("@", f"packages ({manager.name})"), *(DiffLine("+", name) for name in names)),
        admin_lines=(
            *dict.fromkeys(first),
            *(shlex.join(argv) for argv in manager.by_hand[:-1]),
            shlex.join((*manager.by_hand[-1], *names)),
            *(shlex.join(argv) for argv in manager.by_hand_after),
        ),
        admin_undo=(*undo, *(f"# and what this has written: {line}" for line in dict.fromkeys(first))),
    )


def warn_of_image(names: tuple[str, ...], planning: Planning) -> None:
    """A running image takes no packages; the bridge needs none of them but Python, which a home can hold."""
    image = planning.facts.system.image
    if not image:
        return
    lacking = f"{planning.system_name} is an image that takes no programs while it runs ({image}), so "
    lacking += f"{listed(names)} cannot be added now; "
    if planning.facts.pythons:
        lacking += "`x11fwd ssh --via bridge` needs no xauth"
    else:
        lacking += (
            "`x11fwd ssh --via bridge` needs no xauth, but a Python: `uv python install` puts one, with Tk, "
            "into your home"
        )
    planning.warn(lacking)
