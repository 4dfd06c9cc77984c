"""Plans `matplotlibrc`: the backend in the file that matplotlib will read; imported by planner only.

matplotlib reads its packaged defaults and then exactly one file (`matplotlib_fname`): ./matplotlibrc,
$MATPLOTLIBRC, the one in get_configdir(), on Debian /etc/matplotlibrc, the packaged one. A new user file
therefore hides /etc/matplotlibrc as a whole, and starts as a copy of what that one really sets.
"""

from __future__ import annotations

import hashlib
import posixpath
import shlex
from typing import TYPE_CHECKING

from x11fwd.facts.matplotlibrc import find_backend, set_backend
from x11fwd.facts.model import MatplotlibFacts, PythonKind, Unknown
from x11fwd.playbook.backends import TOOLKITS
from x11fwd.steps.conditions import choose, fact_value, numbers
from x11fwd.steps.plan import Change, WriteFile
from x11fwd.steps.wording import file_diff

if TYPE_CHECKING:
    from x11fwd.playbook import MatplotlibrcStep
    from x11fwd.steps.planning import Planning

__all__ = ["plan_matplotlibrc"]

_SYSTEM_FILE = "/etc/matplotlibrc"
_PROBE_LIMIT = 100_000  # the probe sends no more of a matplotlibrc; a longer one is read again, whole
_SPOKEN = {"qt": "a Qt binding"}


def plan_matplotlibrc(step: MatplotlibrcStep, planning: Planning) -> tuple[Change, ...]:
    """One file with one `backend:` line, unless what decides already asks for it."""
    wish = planning.options.backend or step.backend
    python = planning.facts.python
    if python is not None and isinstance(python.matplotlib, Unknown):
        reason = python.matplotlib.reason
        planning.warn(f"which matplotlibrc {python.path} reads could not be seen ({reason}); left alone")
        return ()
    wish = _as_known(_stand_in(wish, planning), planning)
    if _toolkit_missing(wish, planning):
        return ()
    matplotlib = python.matplotlib if python is not None else MatplotlibFacts(None)
    if isinstance(matplotlib, Unknown):  # settled above; for the type checker
        return ()
    _warn_of_variable(wish, matplotlib, planning)
    return _installed(wish, matplotlib, planning) if matplotlib.version else _to_come(wish, planning)


def _stand_in(wish: str, planning: Planning) -> str:
    """The backend of the toolkit that takes the place of one that cannot be had."""
    other = planning.instead.get(TOOLKITS.get(wish, ""))
    return next((name for name, toolkit in TOOLKITS.items() if toolkit == other), wish)


def _as_known(wish: str, planning: Planning) -> str:
    """QtAgg has that name since matplotlib 3.5."""
    version = fact_value("matplotlib.version", planning)
    release = numbers(version) if isinstance(version, str) else None
    if wish.startswith("Qt") and not wish.startswith("Qt5") and release is not None and release < (3, 5):
        return f"Qt5{wish[2:]}"
    return wish


def _toolkit_missing(wish: str, planning: Planning) -> bool:
    """True where the backend would not work here; writing it would turn a silent Agg into an ImportError."""
    toolkit = TOOLKITS.get(wish)
    for name in filter(None, ("matplotlib", toolkit)):
        needs = f"{wish} needs {_SPOKEN.get(name, name)}"
        if name in planning.later:
            planning.note(f"no backend is written yet: {needs}, which is left to the administrator")
            return True
        if name in planning.unavailable:
            planning.warn(f"no backend is written: {needs}, and nothing here can bring it")
            return True
    here = fact_value(f"python.{toolkit}", planning) if toolkit in {"tkinter", "qt"} else ""
    if here is None and toolkit not in planning.coming:
        hint = "; `--playbook qt` installs it" if toolkit == "qt" else ""
        needs = f"{wish} needs {_SPOKEN.get(toolkit or '', toolkit)}"
        planning.warn(f"no backend is written: {needs}, which this playbook does not install{hint}")
        return True
    return False


def _installed(wish: str, matplotlib: MatplotlibFacts, planning: Planning) -> tuple[Change, ...]:
    source, local = matplotlib.rc_backend, _in_working_directory(matplotlib.rc_file, planning)
    right = source is not None and _value(source.text).lower() == wish.lower()
    if right and not local:
        planning.note(f"{source} asks for {wish} already")
        return ()
    if local and not right:
        planning.warn(
            f"{local} still wins over the user's matplotlibrc for scripts started in that directory"
        )
    target = matplotlib.user_rc or _user_file(planning)
    if "MATPLOTLIBRC" in planning.environment and matplotlib.rc_file not in {None, target}:
        # matplotlib reads what the variable names; that is the file to edit where it is the user's
        if (matplotlib.rc_file or "").startswith(planning.facts.home.path + "/"):
            target = matplotlib.rc_file or target
        else:
            planning.warn(f"$MATPLOTLIBRC still wins over {target}: it names {matplotlib.rc_file}")
    inherits = matplotlib.rc_file if (matplotlib.rc_file or "").startswith("/etc/") else None
    if local and _of_the_system(planning):
        inherits = _SYSTEM_FILE
    return _write(target, wish, inherits, planning)


def _to_come(wish: str, planning: Planning) -> tuple[Change, ...]:
    """matplotlib is about to be installed: what will it read then?"""
    if "matplotlib" not in planning.coming:
        planning.note("no backend is written: there is no matplotlib to read it")
        return ()
    target = planning.environment.get("MATPLOTLIBRC") or _user_file(planning)
    if not target.startswith(planning.facts.home.path + "/"):
        planning.warn(f"$MATPLOTLIBRC still wins over {_user_file(planning)}: it names {target}")
        target = _user_file(planning)
    family = planning.family
    if _of_the_system(planning):
        choice = choose(family.packages.get("matplotlib", ()), planning) if family else None
        if choice and choice.backend.lower() == wish.lower() and planning.file(target) is None:
            planning.note(f"{_SYSTEM_FILE} of {choice.names[0]} will ask for {wish}")
            return ()
    return _write(target, wish, None, planning)


def _of_the_system(planning: Planning) -> bool:
    python = planning.facts.python
    return python is None or python.kind is PythonKind.SYSTEM


def _user_file(planning: Planning) -> str:
    """`get_configdir()` + `/matplotlibrc` as matplotlib works it out on Linux, for one not yet installed."""
    environment, home = planning.environment, planning.facts.home.path
    folder = environment.get("MPLCONFIGDIR")
    if not folder:
        folder = posixpath.join(environment.get("XDG_CONFIG_HOME") or f"{home}/.config", "matplotlib")
    if folder.startswith("~/"):
        folder = home + folder[1:]
    return posixpath.join(folder, "matplotlibrc")


def _write(target: str, wish: str, inherits: str | None, planning: Planning) -> tuple[Change, ...]:
    home = planning.facts.home
    if home.writable is False and target.startswith(home.path + "/"):
        words = f": {home.problem}" if home.problem else ""
        planning.warn(f"{target} cannot be written, the home directory takes no files{words}")
        return ()
    if posixpath.basename(posixpath.dirname(target)).startswith("matplotlib-"):
        # get_configdir() makes one up where the real one cannot be written (F111)
        planning.warn(f"no backend is written: {posixpath.dirname(_user_file(planning))} cannot be written")
        return ()
    before = _text_so_far(target, planning)
    system = planning.file(inherits) if inherits else None
    if isinstance(before, Unknown):
        planning.warn(f"{target} could not be read ({before.reason}); left alone")
        return ()
    if before is None:
        start = _start(inherits, system)
        after = set_backend(start, wish)
        old: str | None = None
    else:
        old = before.decode("utf-8", "surrogateescape")
        after = set_backend(old, wish)
        if after == old:
            planning.note(f"{target} asks for {wish} already")
            return ()
    line = f"backend: {wish}"
    folder = shlex.quote(posixpath.dirname(target))
    return (
        Change(
            id="matplotlibrc-backend",
            title=f"Ask for {wish} in {target}",
            action=WriteFile(
                path=target,
                content=after.encode("utf-8", "surrogateescape"),
                before_sha256=None if before is None else hashlib.sha256(before).hexdigest(),
            ),
            become=False,
            diff=file_diff(target, old, after),
            admin_lines=(f"mkdir -p {folder} && echo '{line}' >> {shlex.quote(target)}",),
            admin_undo=(f"sed -i '/^{line}$/d' {shlex.quote(target)}",),
        ),
    )


def _text_so_far(target: str, planning: Planning) -> bytes | Unknown | None:
    """The file's bytes, out of the facts where they have them."""
    python = planning.facts.python
    matplotlib = python.matplotlib if python is not None else None
    if isinstance(matplotlib, MatplotlibFacts) and matplotlib.user_rc == target:
        text = matplotlib.user_rc_text
        if text is None:
            return None
        if isinstance(text, str) and len(text) < _PROBE_LIMIT:
            return text.encode("utf-8", "surrogateescape")
    return planning.file(target)


def _start(inherits: str | None, system: bytes | Unknown | None) -> str:
    """What a new user file begins with: the settings of the file that it hides from now on."""
    if inherits is None or system is None or isinstance(system, Unknown):
        return ""
    kept = [
        line
        for line in system.decode("utf-8", "surrogateescape").splitlines()
        if line.strip() and not line.lstrip().startswith("#") and line.split(":")[0].strip() != "backend"
    ]
    if not kept:
        return ""
    return "\n".join((f"# From {inherits}, which this file hides:", *kept, ""))


def _value(line: str) -> str:
    found = find_backend(line)
    return found.value if found else ""


def _warn_of_variable(wish: str, matplotlib: MatplotlibFacts, planning: Planning) -> None:
    value = planning.environment.get("MPLBACKEND", "")
    if not value and matplotlib.backend_wish and matplotlib.backend_wish[1].variable:
        value = matplotlib.backend_wish[0]
    if value and value.lower() != wish.lower():
        planning.warn(
            f"$MPLBACKEND says {value} and still wins over every matplotlibrc: take it out of the login files"
        )


def _in_working_directory(rc_file: str | None, planning: Planning) -> str | None:
    """The file, where matplotlib took it out of the directory that the probe ran in."""
    local = f"{planning.facts.home.path}/matplotlibrc"
    return local if rc_file in {local, "matplotlibrc", "./matplotlibrc"} else None
