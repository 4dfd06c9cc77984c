"""x11fwd as a program of a host (`Setup(x11fwd=True)`), laid over its tree; host.py only.

A layer of overlayfs with a virtual environment in /opt/x11fwd: the tested x11fwd and what it needs, copied
from the interpreter that people run, on the host's own Python. No network and no package manager take part.
"""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING

from tests.lab import snapshots
from tests.lab.python import readable_python
from tests.lab.runs import call, current_run

if TYPE_CHECKING:
    from pathlib import Path

HOME = "opt/x11fwd"
MINORS = range(10, 20)  # whichever Python 3.x the host has finds its site-packages

# Runs in the people's interpreter: copies the package and the distributions it needs.
COPY = """
import importlib.metadata as metadata, pathlib, re, shutil, sys, x11fwd
target = pathlib.Path(sys.argv[1])
package = pathlib.Path(x11fwd.__file__).parent
shutil.copytree(package, target / "x11fwd", ignore=shutil.ignore_patterns("__pycache__"))
books = package.parent / "playbooks"
if not (target / "x11fwd/playbooks").exists() and books.is_dir():
    shutil.copytree(books, target / "x11fwd/playbooks")
todo, done = ["typer", "paramiko", "rich", "PyYAML"], set()
while todo:
    name = re.sub("[-_.]+", "-", todo.pop()).lower()
    if name in done:
        continue
    done.add(name)
    try:
        found = metadata.distribution(name)
    except metadata.PackageNotFoundError:
        continue  # for another system or another Python
    for file in found.files or ():
        if ".." in file.parts:
            continue  # a script in bin
        place = target / file
        place.parent.mkdir(parents=True, exist_ok=True)
        if file.locate().exists():
            shutil.copy2(file.locate(), place)
    todo += [re.match("[A-Za-z0-9._-]+", need)[0] for need in found.requires or () if "extra ==" not in need]
"""
SCRIPT = """#!/opt/x11fwd/bin/python3
import sys
from x11fwd.cli import main
sys.exit(main())
"""


@cache
def layer() -> Path:
    """The layer's folder, made once per test process.

    Raises:
        LabError: the people's interpreter has no x11fwd.
    """
    place = current_run().claim("x11fwd") / "layer"
    home = place / HOME
    for folder in (home / "bin", home / "site", place / "usr/local/bin"):
        folder.mkdir(parents=True)
    python, site = str(readable_python()), str(home / "site")
    call([python, "-c", COPY, site])
    # A host's Python of the same kind as ours reads these; another compiles, each time, what it may not keep.
    call([python, "-m", "compileall", "-q", f"{site}/x11fwd"])
    config = "home = /usr/bin\ninclude-system-site-packages = false\n"
    (home / "pyvenv.cfg").write_text(config, encoding="ascii")
    for name in ("python", "python3"):
        (home / "bin" / name).symlink_to("/usr/bin/python3")
    for minor in MINORS:
        library = home / f"lib/python3.{minor}"
        library.mkdir(parents=True)
        (library / "site-packages").symlink_to("../../site")
    script = home / "bin/x11fwd"
    script.write_text(SCRIPT, encoding="ascii")
    script.chmod(0o755)
    (place / "usr/local/bin/x11fwd").symlink_to(f"/{HOME}/bin/x11fwd")
    for path in (place, *place.rglob("*")):
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o755)  # whatever the umask
    (place.parent / "index.json").write_text(json.dumps(snapshots.digests(place)), encoding="utf-8")
    return place
