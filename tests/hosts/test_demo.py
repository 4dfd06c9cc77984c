"""`x11fwd demo` on a fresh Debian, as root and as an ordinary user, and what it leaves behind: nothing."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING

import pytest

from tests.lab.hosts import ChrootHost, Setup, diff
from tests.lab.runs import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.lab.host import Ran
    from tests.lab.snapshots import Tree

pytestmark = pytest.mark.xdist_group("demo")

EQUIPPED = Setup(x11fwd=True)


def run_demo(host: ChrootHost, user: str, *words: str, stdin: str | None = None) -> Ran:
    line = f"cd && exec env PYTHONDONTWRITEBYTECODE=1 x11fwd demo {' '.join(words)}"
    return host.run(["sh", "-c", line], user=user, input=stdin, limit=900)


@pytest.fixture
def fresh(new_chroot_host: Callable[..., ChrootHost]) -> ChrootHost:
    return new_chroot_host("bookworm", "bare", EQUIPPED)


@pytest.fixture(scope="module")
def equipped(lab: object) -> Iterator[tuple[ChrootHost, Tree]]:
    """One host for all, and its tree: each test leaves it as it was, or fails."""
    with ChrootHost("bookworm", "plot", EQUIPPED) as host:
        host.check(["apt-get", "-qq", "-y", "--no-install-recommends", "install", "xvfb"])
        yield host, host.snapshot()


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


def test_a_second_run_as_an_ordinary_user_leaves_only_the_picture(equipped: tuple[ChrootHost, Tree]) -> None:
    host, before = equipped
    ran = run_demo(host, "ana")
    assert ran.rc == 0, ran.stdout + ran.stderr
    changes = diff(before, host.snapshot())
    (host.root / "home/ana/x11fwd-demo.png").unlink(missing_ok=True)
    assert [str(change) for change in changes] == ["added   /home/ana/x11fwd-demo.png"]
    assert "sshd" not in host.run(["ps", "-u", "ana", "-o", "args="]).stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("moment", ["pid", "state/run", "home/.cache/matplotlib"])
def test_a_demo_that_is_ended_half_way_leaves_nothing(
    number: int, moment: str, equipped: tuple[ChrootHost, Tree]
) -> None:
    """Ended when the sandbox's sshd is up, while setup works, and while the plot is drawn."""
    host, before = equipped
    # a background job has SIGINT ignored, and every program it starts would inherit that
    line = "cd; exec env --default-signal PYTHONDONTWRITEBYTECODE=1 x11fwd demo >/dev/null 2>&1"
    thread = threading.Thread(target=lambda: host.run(["su", "ana", "-c", line]))
    thread.start()
    folder = host.root / "tmp"
    wait_for(lambda: any(folder.glob(f"x11fwd-demo-*/{moment}")), limit=240, what=moment)
    host.run(["sh", "-c", f"kill -{int(number)} $(pgrep -u ana -f 'x11fwd demo' | head -1)"])
    thread.join(240)
    assert not thread.is_alive()
    wait_for(lambda: not any(folder.glob("x11fwd-demo-*")), limit=90, what="the sandbox's end")
    processes = ["ps", "-u", "ana", "-o", "args="]
    # setup's watcher waits a minute for a confirmation, whatever became of its files
    wait_for(lambda: host.run(processes).stdout.strip() == "", limit=240, what="the end of all", every=0.1)
    assert [str(change) for change in diff(before, host.snapshot())] == []
