"""Rows of the truth table about matplotlib: F99 to F111, and what x11fwd itself adds to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.hosts.truth.rig import Fault, Scene

if TYPE_CHECKING:
    from collections.abc import Callable

HOME = "/home/ana"
BASHRC = f"{HOME}/.bashrc"
RC = f"{HOME}/.config/matplotlib/matplotlibrc"
PACKAGES = "/usr/lib/python3/dist-packages"


def export(line: str) -> Callable[[Scene], None]:
    """A line in a start file that exports a variable."""

    def inject(scene: Scene) -> None:
        scene.host.append(BASHRC, f"export {line}\n")

    return inject


def written(path: str, text: str) -> Callable[[Scene], None]:
    """A file of the user's."""

    def inject(scene: Scene) -> None:
        scene.host.write(path, text, user="ana")

    return inject


def forwarding_off(scene: Scene) -> None:
    scene.host.replace("/etc/ssh/sshd_config", "X11Forwarding yes", "X11Forwarding no")
    scene.reload_sshd()


def dead_display(scene: Scene) -> None:
    scene.host.append(BASHRC, "export DISPLAY=:77\n")


def agg_at_start(scene: Scene) -> None:
    """What a library does on import, in a file that Python reads at each start."""
    scene.host.write(f"{PACKAGES}/usercustomize.py", "import matplotlib\n\nmatplotlib.use('Agg')\n")


def shadowed(scene: Scene) -> None:
    """Two files that ask for the same: the one in the current directory hides the user's own."""
    scene.host.run(f"mkdir -p {HOME}/.config/matplotlib", user="ana")
    scene.host.write(RC, "backend: TkAgg\n", user="ana")
    scene.host.write(f"{HOME}/matplotlibrc", "backend: TkAgg\n", user="ana")


def closed_folder(scene: Scene) -> None:
    scene.host.run(f"mkdir -p {HOME}/closed && chown root {HOME}/closed && chmod 755 {HOME}/closed")
    scene.host.append(BASHRC, f"export MPLCONFIGDIR={HOME}/closed/matplotlib\n")


def open_folder(scene: Scene) -> None:
    scene.restore()
    scene.host.run(f"rmdir {HOME}/closed")


def no_matplotlib(scene: Scene) -> None:
    scene.host.remove(f"{PACKAGES}/matplotlib")


def broken_matplotlib(scene: Scene) -> None:
    scene.host.append(f"{PACKAGES}/matplotlib/__init__.py", "\nraise ImportError('half an upgrade')\n")


def no_python(scene: Scene) -> None:
    for path in ("/usr/bin/python3", "/usr/bin/python3.11"):
        scene.host.remove(path)


FAULTS: tuple[Fault, ...] = (
    Fault(
        "mpl-no-display-silent",
        "F99",
        forwarding_off,
        kind="symptom",
        under="sshd-x11forwarding-no",
        says="without a word",
    ),
    Fault(
        "mpl-dead-display-agg",
        "F100",
        dead_display,
        kind="symptom",
        under="start-file-overwrites-display",
        says="FigureCanvasAgg is non-interactive",
    ),
    Fault(
        "mpl-headless-importerror",
        "F101",
        dead_display,
        kind="symptom",
        under="start-file-overwrites-display",
        says="headless",
    ),
    Fault(
        "mpl-rc-backend-is-only-a-wish",
        "F102",
        dead_display,
        kind="symptom",
        under="start-file-overwrites-display",
        says=r"(?s)matplotlibrc:\d+.*backend_fallback",
    ),
    Fault("mpl-mplbackend-wins", "F103", export("MPLBACKEND=Agg"), status="fail", says=r"\.bashrc:\d+"),
    Fault(
        "mpl-mplbackend-from-ide",
        "F104",
        export("MPLBACKEND=module://backend_interagg"),
        status="fail",
        says="backend_interagg",
        case="pycharm",
    ),
    Fault(
        "mpl-mplbackend-from-ide",
        "F104",
        export("MPLBACKEND=module://matplotlib_inline.backend_inline"),
        status="fail",
        says="matplotlib_inline",
        case="jupyter",
    ),
    Fault("mpl-backend-typo", "F105", export("MPLBACKEND=TkAg"), status="fail", says="TkAg"),
    Fault("mpl-rc-precedence", "F106", shadowed, kind="note", says=f"hides {RC}"),
    Fault("mpl-library-forces-agg", "F107", agg_at_start, status="fail", says=r"usercustomize\.py:\d+"),
    Fault(
        "mpl-interactive-true",
        "F108",
        written(f"{HOME}/matplotlibrc", "backend: TkAgg\ninteractive: True\n"),
        status="warn",
        says="interactive",
        also=("mpl-rc-precedence",),
    ),
    Fault("mpl-config-dir", "F111", closed_folder, open_folder, status="warn", says=f"{HOME}/closed"),
    Fault(
        "mpl-rc-not-interactive",
        "",
        written(f"{HOME}/matplotlibrc", "backend: Agg\n"),
        status="fail",
        says="Agg",
    ),
    Fault("mpl-missing", "", no_matplotlib, status="fail", says="No module named|not installed|missing"),
    Fault("mpl-broken", "", broken_matplotlib, status="fail", says="half an upgrade"),
    Fault("python-missing", "", no_python, status="fail"),
)
