"""Tk on the remote: missing, built without, made for another Python, half there; F112 to F117, F124."""

from __future__ import annotations

from shlex import quote

from x11fwd.checks.check import Seen, Verdict, bad, fine, odd, skip, unknown
from x11fwd.checks.report import Fix, FixBy
from x11fwd.checks.toolkit import there, toolkit_of, tried
from x11fwd.facts.model import PackageManager, PythonFacts, PythonKind, Unknown

_LOST = ("init.tcl", "tk.tcl", "version conflict for package")  # words of Tcl_Init and Tk_Init
_XFT = (2, 3, 5)  # from this libXft on colour fonts are drawn (its NEWS)


def libx11_missing(seen: Seen) -> Verdict:
    """F116: slim container images lack libX11.so.6, and matplotlib loads it by that name."""
    python = seen.python
    problem = python.toolkits.libx11_problem or python.tkinter_problem
    if "libX11" not in problem:
        return fine(f"libX11 is installed on {seen.host}")
    if python.tkinter is None and "libX11" not in python.tkinter_problem and python.kind is PythonKind.SYSTEM:
        return skip("libX11 comes with Tk, see tk-missing-distro-python")
    fix = seen.setup
    if python.kind is PythonKind.CONDA:
        fix = there(seen, f"{quote(python.tool or 'conda')} install -y -c conda-forge xorg-libx11")
    return bad(f"libX11 is missing on {seen.host}, so no window can open", problem, fix)


def _family(python: PythonFacts) -> PythonKind:
    """Where the interpreter itself comes from: a venv shares the Tk of the Python it was made with."""
    if "/uv/python" in python.base_prefix:
        return PythonKind.UV
    if python.kind is PythonKind.CONDA:
        return PythonKind.CONDA
    if python.base_prefix in {"/usr", ""} and python.kind in {PythonKind.SYSTEM, PythonKind.VENV}:
        return PythonKind.SYSTEM
    return PythonKind.PYENV if python.kind is not PythonKind.SYSTEM else PythonKind.SYSTEM


def _is_half_there(seen: Seen) -> bool:
    """Tk's C part loads, and the scripts that belong to it do not."""
    problem = seen.python.tkinter_problem
    window = tried(seen, "tk")
    words = window.words if window and not window.ok else ""
    return any(mark in problem or mark in words for mark in _LOST)


def _tk(seen: Seen, kinds: frozenset[PythonKind], title: str, fix: Fix | None) -> Verdict:
    python = seen.python
    if isinstance(python.tkinter, str):
        return fine(f"Tk {python.tkinter} is installed on {seen.host}", python.path)
    if isinstance(python.tkinter, Unknown):
        return unknown(f"whether {python.path} on {seen.host} has Tk", python.tkinter.reason)
    if toolkit_of(python) != "tk":
        return fine(f"windows on {seen.host} come from {python.qt}; Tk is not needed")
    if "libX11" in python.tkinter_problem:
        return skip("Tk is there, see libx11-missing")
    if _family(python) not in kinds:
        return skip(f"this Python comes from elsewhere ({python.kind.value})")
    return bad(title, python.tkinter_problem or "No module named 'tkinter'", fix)


def missing_distro(seen: Seen) -> Verdict:
    """F112: distributions split tkinter off."""
    if seen.python.tkinter is None and _is_half_there(seen):
        return skip("Tk is there, see tk-library-lost")
    if seen.python.tkinter is None and _of_another_version(seen):
        return skip("Tk is there for another Python, see tk-wrong-package")
    title = f"Tk is missing for Python on {seen.host}"
    return _tk(seen, frozenset({PythonKind.SYSTEM, PythonKind.CONDA}), title, seen.setup)


def _of_another_version(seen: Seen) -> bool:
    return bool(seen.python.toolkits.tk_elsewhere) and _family(seen.python) is PythonKind.SYSTEM


def wrong_package(seen: Seen) -> Verdict:
    """F114: the package is installed, and belongs to another version than this interpreter's."""
    python = seen.python
    if python.tkinter is not None or not _of_another_version(seen) or _is_half_there(seen):
        return fine("no Tk is installed for a wrong version of Python")
    if toolkit_of(python) != "tk":
        return fine(f"windows on {seen.host} come from {python.qt}; Tk is not needed")
    manager = seen.there.package_manager
    major, minor = ([*python.version.split("."), "", ""])[:2]
    command = _package(manager if isinstance(manager, PackageManager) else None, major, minor)
    return bad(
        f"Tk on {seen.host} is installed for another Python than {python.path}, which is {major}.{minor}",
        f"{python.toolkits.tk_elsewhere[0]} is not of Python {major}.{minor}; {python.tkinter_problem}",
        there(
            seen,
            command or f"{quote(python.path)} -m pip install PyQt6",
            FixBy.ADMIN if command else FixBy.YOU,
        ),
    )


def _package(manager: PackageManager | None, major: str, minor: str) -> str:
    """The command that installs Tk for one version of Python; "" where there are no such packages."""
    if manager is None:
        return ""
    if manager.name == "apt":
        return f"sudo apt-get install python{major}.{minor}-tk"
    if manager.name in {"dnf", "yum", "microdnf"}:
        # modules of RHEL 8 have no dot; versions beside the default have one (python3.11)
        name = f"python{major}{minor}" if minor in {"6", "8", "9"} else f"python{major}.{minor}"
        return f"sudo {manager.name} install {name}-tkinter"
    if manager.name == "zypper":
        return f"sudo zypper install python{major}{minor}-tk"
    return ""


def missing_built(seen: Seen) -> Verdict:
    """F113: built without Tk's headers; the distribution's packages do not help such a Python."""
    if seen.python.tkinter is None and _is_half_there(seen):
        return skip("Tk is there, see tk-library-lost")
    command = f"{quote(seen.python.path)} -m pip install PyQt6"
    verdict = _tk(
        seen,
        frozenset({PythonKind.PYENV}),
        f"{seen.python.path} on {seen.host} was built without Tk; Qt can be had without building again",
        there(seen, command),
    )
    elsewhere = seen.python.toolkits.tk_elsewhere
    if verdict.fix is None or not elsewhere:
        return verdict
    return bad(verdict.title, f"{verdict.evidence}; {elsewhere[0]} is of no use to it", verdict.fix)


def uv_standalone(seen: Seen) -> Verdict:
    """F115: python-build-standalone before August 2025 had Tk linked in so that it cannot be used."""
    python = seen.python
    minor = ".".join(python.version.split(".")[:2])
    command = f"uv self update && uv python install --reinstall {minor}"
    title = f"uv's Python on {seen.host} is an old build whose Tk does not work"
    fix = there(seen, command)
    backend = getattr(python.matplotlib, "backend", None)
    if isinstance(backend, Unknown) and "_tkinter" in backend.reason and "__file__" in backend.reason:
        return bad(title, f"{backend.reason}; {python.base_prefix}", fix)
    if "TCL_LIBRARY" in python.toolkits.environment and _is_half_there(seen):
        return skip("Tk is there, see tk-library-lost")
    return _tk(seen, frozenset({PythonKind.UV}), title, fix)


def library_lost(seen: Seen) -> Verdict:
    """Tk's C part loads, and its scripts are not found: a variable points elsewhere, or they are gone."""
    python = seen.python
    if not _is_half_there(seen):
        return fine("Tk finds the scripts that belong to it")
    variables = python.toolkits.environment
    names = [name for name in ("TCL_LIBRARY", "TK_LIBRARY") if name in variables]
    if _family(python) is PythonKind.UV and not names:
        return skip("uv's own build lacks them, see tk-uv-standalone")
    if toolkit_of(python) != "tk":
        return fine(f"windows on {seen.host} come from {python.qt}; Tk is not needed")
    window = tried(seen, "tk")
    words = window.words if window and not window.ok else python.tkinter_problem
    where = "; ".join([*(f"{name}={variables[name]}" for name in names), words])
    if names:
        title = f"{' and '.join(names)} on {seen.host} lead Tk to scripts that are not its own"
        search = (
            f"grep -n {quote(names[0])} ~/.[a-z]*rc ~/.*profile ~/.zshenv /etc/profile.d/* /etc/environment"
        )
        return bad(title, where, there(seen, search))
    return bad(
        f"Tk on {seen.host} has lost the scripts that belong to it (init.tcl, tk.tcl)", where, seen.setup
    )


def bitmap_fonts(seen: Seen) -> Verdict:
    """F117: a Tk without Xft draws with the X server's own bitmap fonts."""
    window = tried(seen, "tk")
    if window is None or not window.ok:
        return skip("no window of Tk's was tried")
    if window.fonts != "x11":
        return fine("Tk draws with scalable fonts")
    python = seen.python
    command = f"{quote(python.tool or 'conda')} install -y -c conda-forge 'tk=*=xft_*'"
    return odd(
        f"Tk on {seen.host} was built without Xft: windows come with coarse bitmap fonts",
        f"::tk::pkgconfig get fontsystem says x11; {python.path}",
        there(seen, command) if python.kind is PythonKind.CONDA else None,
    )


def emoji(seen: Seen) -> Verdict:
    """F124: Tk 8.6 with an old libXft ends at a character of a colour emoji font. Only said."""
    toolkits, tk = seen.python.toolkits, seen.python.tkinter
    if not isinstance(tk, str) or not toolkits.emoji_font or not tk.startswith("8.6"):
        return fine("no emoji can end a window of Tk's")
    version = tuple(int(part) for part in toolkits.libxft.split(".") if part.isdigit())
    if not version or version >= _XFT:
        return fine("libXft draws emoji", f"libXft {toolkits.libxft}")
    return fine(
        f"an emoji in a window of Tk's would end the program on {seen.host}",
        f"Tk {tk}, libXft {toolkits.libxft}, {toolkits.emoji_font}: BadLength (RenderAddGlyphs)",
    )
