"""Environment modules that bring what cannot be installed: found by importing, told in a line; steps only."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from x11fwd.facts.model import Unknown
from x11fwd.steps.wording import listed

if TYPE_CHECKING:
    from x11fwd.steps.planning import Planning

__all__ = ["offer_modules"]

_MOST = 6  # modules tried; each starts a Python
# modules of that name first: they load what they need, Tk among it (EasyBuild's and Spack's matplotlib)
_ORDER = ("matplotlib", "anaconda", "miniforge", "mambaforge", "miniconda", "tkinter", "python")
_SECONDS = 20  # for each, from a slow file system
_TRY = """\
command=$1 path=$2 code=$3; shift 3
MODULEPATH=$path; export MODULEPATH
for one; do
    ( eval "$("$command" sh load "$one" 2>/dev/null)" || exit 1
      exec timeout %d python3 -c "$code" ) >/dev/null 2>&1 </dev/null && echo "$one" && exit 0
done
exit 1
"""


def offer_modules(names: tuple[str, ...], planning: Planning) -> None:
    """Say which module brings `names` (`tkinter`, `matplotlib`), if one does; nothing is changed by that."""
    environment = planning.environment
    command = environment.get("LMOD_CMD") or environment.get("MODULES_CMD")
    modules = _tried(planning.facts.modules)
    if not command or not modules or not names:
        return
    code = "\n".join(planning.families.environments.proof.get(name, f"import {name}") for name in names)
    path = environment.get("MODULEPATH", "")
    answer = planning.command(("sh", "-c", _TRY % _SECONDS, "modules", command, path, code, *modules))
    if isinstance(answer, Unknown) or answer.exit_status or not answer.stdout.strip():
        return
    found = answer.stdout.split()[0]
    planning.note(
        f"`module load {found}` brings {listed(names)} here (imported): put that line before the script's, "
        "in a job's script too"
    )


def _tried(modules: tuple[str, ...]) -> tuple[str, ...]:
    """The likeliest first, the newest of each name first."""

    def rank(name: str) -> tuple[int, tuple[int, ...]]:
        word = name.lower()
        place = next((at for at, known in enumerate(_ORDER) if known in word), len(_ORDER))
        return place, tuple(-int(number) for number in re.findall(r"\d+", name))

    return tuple(sorted(modules, key=rank)[:_MOST])
