"""Puts JupyterLab into a virtual environment of its own over there, whole or not at all; sent as text.

The environment is built in its final place and counts from the moment in which the link `current` leads to
it. What a broken attempt left is removed by the next one. Notebooks can import what the Python that made it
can: its packages come after those of the environment, by a .pth file.
"""

import glob
import os
import shutil
import subprocess  # noqa: TID251  this runs over there
import sys
import tempfile
import threading
import time
from typing import Callable, List

from x11fwd.notebook.far.starting import FailedError, data_folder

NEEDED = 500 << 20  # bytes; JupyterLab 4.5 takes 240 MB, and pip unpacks beside it
# With a matplotlib before 3.8, as in Debian 12, matplotlib-inline 0.2 ends every plot by an error, and 0.1
# with a new IPython loses those of the cell that imports pyplot, unless the kernel starts with it.
OLD_MATPLOTLIB = "import matplotlib; print(not hasattr(matplotlib.RcParams, '_get'))"
OLD_INLINE = "matplotlib-inline<0.2"
AT_START = 'c.IPKernelApp.matplotlib = "inline"\n'
COMMAND_LIMIT = 1800.0  # seconds
ENOUGH = 200  # lines kept of what pip says


def install(say: "Callable[..., None]", stopping: "Callable[[], bool]") -> None:
    """Raises FailedError; nothing is left of the attempt then."""
    base = data_folder()
    try:
        os.makedirs(base, mode=0o700, exist_ok=True)
        free = shutil.disk_usage(base).free
    except OSError as error:
        raise FailedError("%s cannot be made: %s" % (base, error.strerror))
    if free < NEEDED:
        raise FailedError(
            "JupyterLab needs %d MB, and %s has %d MB left" % (NEEDED >> 20, base, free >> 20),
            "free some space, or point XDG_DATA_HOME over there at another disk",
        )
    current = os.path.join(base, "current")
    kept = os.path.realpath(current)
    for old in glob.glob(os.path.join(glob.escape(base), "env-*")):
        if os.path.realpath(old) != kept:
            shutil.rmtree(old, ignore_errors=True)
    place = tempfile.mkdtemp(prefix="env-", dir=base)
    try:
        fill(place, say, stopping)
        link = place + ".link"
        os.symlink(os.path.basename(place), link)
        os.replace(link, current)
    except OSError as error:
        shutil.rmtree(place, ignore_errors=True)
        raise FailedError("%s cannot be written: %s" % (base, error.strerror), hint_for(str(error)))
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise


def fill(place: str, say: "Callable[..., None]", stopping: "Callable[[], bool]") -> None:
    python = os.path.join(place, "bin", "python")
    say(doing="making an environment for JupyterLab")
    pip = [python, "-m", "pip"]
    if run([sys.executable, "-m", "venv", place], say, stopping)[0]:
        # Debian's venv has no pip in it without the package python3-venv
        shutil.rmtree(place, ignore_errors=True)
        pip = [sys.executable, "-m", "pip", "--python", python]
        status, _ = run([sys.executable, "-m", "venv", "--without-pip", place], say, stopping)
        if status or run(pip + ["--version"], say, stopping)[0]:
            raise FailedError(
                "%s can make no environment with pip in it" % sys.executable,
                "on Debian and Ubuntu that takes the package python3-venv; `--python PATH` names another one",
            )
    quiet = ["--disable-pip-version-check", "--no-input", "--progress-bar", "off"]
    say(doing="installing JupyterLab")
    packages = ["jupyterlab"]
    if run([sys.executable, "-c", OLD_MATPLOTLIB], say, stopping)[1] == ["True"]:
        packages.append(OLD_INLINE)
        config = os.path.join(place, "etc", "ipython")
        os.makedirs(config)
        with open(os.path.join(config, "ipython_kernel_config.py"), "w") as file:
            file.write(AT_START)
    status, said = run(pip + ["install"] + quiet + packages, say, stopping)
    if status:
        raise FailedError("pip does not install JupyterLab: %s" % telling(said), hint_for(" ".join(said)))
    status, said = run([python, "-m", "jupyterlab", "--version"], say, stopping)
    if status:
        raise FailedError("the installed JupyterLab does not run: %s" % telling(said))
    folders = [one for one in sys.path if os.path.basename(one) in ("site-packages", "dist-packages")]
    (folder,) = glob.glob(os.path.join(glob.escape(place), "lib", "python3*", "site-packages"))
    with open(os.path.join(folder, "x11fwd-after.pth"), "w", encoding="utf-8") as file:
        file.write("".join(one + "\n" for one in folders))


def run(
    words: "List[str]", say: "Callable[..., None]", stopping: "Callable[[], bool]"
) -> "tuple[int, List[str]]":
    """Status and last lines. Raises FailedError where nobody waits for it any more."""
    environment = dict(os.environ)
    for name in ("PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV", "PIP_TARGET", "PIP_PREFIX", "PIP_USER"):
        environment.pop(name, None)
    try:
        process = subprocess.Popen(
            words,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as error:
        return 127, [str(error.strerror)]
    said: List[str] = []

    def listen() -> None:
        for line in process.stdout or ():
            text = line.decode("utf-8", "replace").strip()
            if text:
                said.append(text)
                del said[:-ENOUGH]
                if text.startswith(("Collecting ", "Installing collected")):
                    say(doing="installing JupyterLab: %s" % " ".join(text.split()[:2]).lower())

    listener = threading.Thread(target=listen)
    listener.daemon = True
    listener.start()
    until = time.monotonic() + COMMAND_LIMIT
    while process.poll() is None:
        if stopping() or time.monotonic() > until:
            kill(process.pid)
            process.wait()
            raise FailedError("it was interrupted" if stopping() else "%s does not end" % words[0])
        time.sleep(0.05)
    listener.join(5.0)
    return process.returncode, said


def kill(group: int) -> None:
    try:
        os.killpg(group, 9)
    except OSError:
        pass


def telling(lines: "List[str]") -> str:
    """The line that says why."""
    errors = [line for line in lines if line.lower().startswith(("error", "warning: retrying"))]
    found = (errors or lines or ["without a word"])[-1]
    return found[7:] if found.startswith("ERROR: ") else found[:300]


def hint_for(text: str) -> str:
    """What to do about it."""
    if "No space left" in text or "quota" in text.lower():
        return "free some space, or point XDG_DATA_HOME over there at another disk"
    if "No matching distribution" in text or "Retrying" in text or "connection" in text.lower():
        return "that machine may not reach PyPI: a proxy or an index in its ~/.config/pip/pip.conf helps"
    return ""
