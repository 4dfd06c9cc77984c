"""Python and its window toolkit on the remote; section E of the catalogue."""

from __future__ import annotations

from shlex import quote

from x11fwd.checks.check import Seen, Verdict, bad, fine, skip, unknown
from x11fwd.checks.remote_user import remotely
from x11fwd.checks.report import Fix, FixBy
from x11fwd.facts.model import MatplotlibFacts, PythonKind, Unknown


def python_missing(seen: Seen) -> Verdict:
    """The interpreter that a script of the user's would get."""
    python = seen.there.python
    if python is None:
        # an image takes none; a home does
        image = bool(seen.there.system.image)
        fix = remotely(seen, "uv python install") if image else seen.setup
        return bad(f"no Python is installed on {seen.host}", "the login shell's PATH has no python3", fix)
    if python.problem:
        return bad(f"{python.path} on {seen.host} cannot be run", python.problem)
    kind = "" if python.kind in {PythonKind.SYSTEM, PythonKind.OTHER} else f", {python.kind.value}"
    return fine(
        f"Python {python.version} on {seen.host} ({python.path}{kind})",
        f"found by: {python.found_by}; {python.executable}",
    )


def matplotlib_missing(seen: Seen) -> Verdict:
    """matplotlib of the interpreter above, and no other one."""
    python = seen.python
    matplotlib = python.matplotlib
    if isinstance(matplotlib, Unknown):
        return unknown(f"whether {python.path} on {seen.host} has matplotlib", matplotlib.reason)
    if matplotlib.version is None and _not_installed(matplotlib):
        return bad(
            f"matplotlib is missing for {python.path} on {seen.host}",
            matplotlib.problem or "No module named 'matplotlib'",
            seen.setup,
        )
    if matplotlib.version is None:
        return skip("matplotlib is there, see mpl-broken")
    return fine(f"matplotlib {matplotlib.version} is installed on {seen.host}", python.path)


def _not_installed(matplotlib: MatplotlibFacts) -> bool:
    return not matplotlib.problem or "No module named 'matplotlib'" in matplotlib.problem


def matplotlib_broken(seen: Seen) -> Verdict:
    """matplotlib is there and cannot be imported."""
    python = seen.python
    matplotlib = python.matplotlib
    if isinstance(matplotlib, Unknown) or (matplotlib.version is None and _not_installed(matplotlib)):
        return skip("there is no matplotlib to import")
    if not matplotlib.problem:
        return fine("matplotlib can be imported")
    command = f"{quote(python.path)} -c {quote('import matplotlib.pyplot')}"
    return bad(
        f"matplotlib of {python.path} on {seen.host} cannot be imported",
        matplotlib.problem,
        Fix(f"ssh {seen.destination} {quote(command)}", FixBy.YOU),
    )
