"""`x11fwd demo` on a fresh Debian, as root and as an ordinary user, and what it leaves behind: nothing."""

from __future__ import annotations

import shutil
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import x11fwd
from tests.lab.hosts import ChrootHost, diff
from tests.lab.python import readable_python
from tests.lab.runs import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.lab.host import Ran

pytestmark = pytest.mark.xdist_group("demo")

SITE = "/opt/x11fwd-site"
# what the tests need and x11fwd does not: a fresh Debian has no matplotlib
NOT_OURS = shutil.ignore_patterns("matplotlib*", "mpl_toolkits", "numpy*", "mypy*", "*pytest*", "xdist")
ENVIRONMENT = f"PYTHONDONTWRITEBYTECODE=1 PYTHONPATH={SITE}"


def left_out(folder: str, names: list[str]) -> set[str]:
    """For copytree: caches everywhere, and what is not ours beside x11fwd (inside it, names may be alike)."""
    return {"__pycache__"} | (NOT_OURS(folder, names) if folder.endswith("site-packages") else set())


def with_x11fwd(host: ChrootHost) -> ChrootHost:
    """Put x11fwd and what it imports into the tree, without pip: the tree's Python is of the same version."""
    python = readable_python()
    packages = next(python.parent.parent.glob("lib/python3*/site-packages"))
    site = host.root / SITE.lstrip("/")
    shutil.copytree(packages, site, symlinks=True, ignore=left_out)
    if not (site / "x11fwd").exists():
        source = Path(x11fwd.__file__).parent
        shutil.copytree(source, site / "x11fwd", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copytree(source.parent / "playbooks", site / "x11fwd/playbooks")
    for name in ("opt", SITE.lstrip("/")):
        (host.root / name).chmod(0o755)
    return host


def run_demo(host: ChrootHost, user: str, *words: str, stdin: str | None = None) -> Ran:
    home = "/root" if user == "root" else f"/home/{user}"
    line = f"cd {home} && exec env HOME={home} {ENVIRONMENT} python3 -m x11fwd demo {' '.join(words)}"
    return host.run(["sh", "-c", line], user=user, input=stdin)


@pytest.fixture
def fresh(new_chroot_host: Callable[..., ChrootHost]) -> ChrootHost:
    return with_x11fwd(new_chroot_host("bookworm", "bare"))


@pytest.fixture(scope="module")
def equipped(lab: object) -> Iterator[ChrootHost]:
    """One host for all: each test leaves it as it was, or fails."""
    with ChrootHost("bookworm", "plot") as host:
        with_x11fwd(host)
        host.check(["apt-get", "-qq", "-y", "--no-install-recommends", "install", "xvfb"])
        yield host


def test_a_fresh_debian_names_what_is_missing_and_changes_nothing(fresh: ChrootHost) -> None:
    before = fresh.snapshot()
    ran = run_demo(fresh, "ana")
    assert ran.rc == 1
    said = ran.stdout + ran.stderr
    assert "apt-get install" in said
    for package in ("xauth", "xvfb", "python3-tk", "python3-matplotlib"):
        assert package in said
    assert diff(before, fresh.snapshot()) == []


def test_a_fresh_debian_ends_with_a_picture_as_root(fresh: ChrootHost) -> None:
    ran = run_demo(fresh, "root", "--yes")
    assert ran.rc == 0, ran.stdout + ran.stderr
    assert (fresh.root / "root/x11fwd-demo.png").read_bytes().startswith(b"\x89PNG")
    assert "x11fwd-demo.png" in ran.stdout


def test_a_second_run_as_an_ordinary_user_leaves_only_the_picture(equipped: ChrootHost) -> None:
    before = equipped.snapshot()
    ran = run_demo(equipped, "ana")
    assert ran.rc == 0, ran.stdout + ran.stderr
    changes = diff(before, equipped.snapshot())
    (equipped.root / "home/ana/x11fwd-demo.png").unlink(missing_ok=True)
    assert [str(change) for change in changes] == ["added   /home/ana/x11fwd-demo.png"]
    assert "sshd" not in equipped.run(["ps", "-u", "ana", "-o", "args="]).stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("moment", ["pid", "state/run", "home/.cache/matplotlib"])
def test_a_demo_that_is_ended_half_way_leaves_nothing(number: int, moment: str, equipped: ChrootHost) -> None:
    """Ended when the sandbox's sshd is up, while setup works, and while the plot is drawn."""
    before = equipped.snapshot()
    # a background job has SIGINT ignored, and every program it starts would inherit that
    line = (
        f"cd; exec env --default-signal HOME=/home/ana {ENVIRONMENT} python3 -m x11fwd demo >/dev/null 2>&1"
    )
    thread = threading.Thread(target=lambda: equipped.run(["su", "ana", "-c", line]))
    thread.start()
    folder = equipped.root / "tmp"
    wait_for(lambda: any(folder.glob(f"x11fwd-demo-*/{moment}")), limit=180, what=moment)
    equipped.run(["sh", "-c", f"kill -{int(number)} $(pgrep -u ana -f 'x11fwd demo' | head -1)"])
    thread.join(120)
    assert not thread.is_alive()
    wait_for(lambda: not any(folder.glob("x11fwd-demo-*")), limit=90, what="the sandbox's end")
    processes = ["ps", "-u", "ana", "-o", "args="]
    wait_for(lambda: equipped.run(processes).stdout.strip() == "", limit=90, what="the end of all")
    assert [str(change) for change in diff(before, equipped.snapshot())] == []
