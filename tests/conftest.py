"""Fixtures of every test: a clean environment, the lab's hosts, screens and people; pytest loads it."""

from __future__ import annotations

import os
import shutil
import signal
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.lab.hosts import BootedHost, ChrootHost
    from tests.lab.person import Person
    from tests.lab.screen import Screen

TOOLS = ("debootstrap", "systemd-nspawn", "sshd", "ssh", "Xvfb", "xauth", "unshare", "nsenter", "setpriv")
UNCLEAN = ("DISPLAY", "XAUTHORITY", "WAYLAND_DISPLAY", "NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES")
UNCLEAN_PREFIXES = ("SSH_", "MPL", "XDG_", "X11FWD_", "QT_", "CONDA", "VIRTUAL_ENV", "PYENV", "LC_")
KEPT = ("X11FWD_PICTURES", "X11FWD_LAB_CACHE", "X11FWD_LAB_MIRROR", "X11FWD_TEST_PYTHON")


def lab_missing() -> str | None:
    """Why the lab cannot run on this machine, None when it can."""
    if os.geteuid() != 0:
        return "needs root"
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    missing = [tool for tool in TOOLS if shutil.which(tool, path=path) is None]
    return f"needs {', '.join(missing)}" if missing else None


def pytest_configure() -> None:
    """Signals mean to the programs that tests start what they mean in a terminal.

    A shell without job control has what it puts into the background ignore these, and all that comes of it.
    """
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests in tests/hosts/ are marked ``hosts``; without the lab they are skipped."""
    folder = Path(__file__).parent / "hosts"
    for item in items:
        if folder in item.path.parents and item.get_closest_marker("hosts") is None:
            item.add_marker("hosts")
    why = lab_missing()
    # A CI without the lab must not look green: there the tests run, and fail.
    if why is None or os.environ.get("CI", "").lower() in {"true", "1"}:
        return
    for item in items:
        if item.get_closest_marker("hosts"):
            item.add_marker(pytest.mark.skip(reason=f"{why}; run them all: sudo sh tests/run"))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """In CI a hosts test fails, not skips, where the lab cannot run."""
    if item.get_closest_marker("hosts") and (why := lab_missing()):
        pytest.fail(f"the lab {why}; run: sudo sh tests/run")


@pytest.fixture(autouse=True)
def clean_environment(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty HOME and no variable of the developer's desktop; returns the HOME."""
    home = tmp_path_factory.mktemp("home")
    for name in list(os.environ):
        if name not in KEPT and (name in UNCLEAN or name.startswith(UNCLEAN_PREFIXES)):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    return home


@pytest.fixture(scope="session")
def lab() -> Iterator[ExitStack]:
    """What the lab's session fixtures are taken down with; sweeps dead earlier runs first."""
    from tests.lab import runs

    os.environ["PATH"] = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    runs.sweep()
    with ExitStack() as stack:
        stack.callback(runs.close_current_run)
        yield stack


@pytest.fixture(scope="session")
def screen(lab: ExitStack) -> Screen:
    """One screen for the worker's whole session (``noreset``)."""
    from tests.lab.screen import Screen

    return lab.enter_context(Screen())


@pytest.fixture
def person(lab: ExitStack, screen: Screen) -> Iterator[Person]:
    """A person in front of ``screen``, new for each test."""
    from tests.lab.person import Person

    with Person() as someone:
        someone.use_screen(screen)
        yield someone


@pytest.fixture
def new_person(lab: ExitStack) -> Iterator[Callable[..., Person]]:
    """Makes people without a screen: ``new_person(shell="/usr/bin/fish")``; gone after the test."""
    from tests.lab.person import Person

    with ExitStack() as stack:

        def make(*, name: str = "lena", shell: str = "/bin/bash") -> Person:
            return stack.enter_context(Person(name, shell=shell))

        yield make


@pytest.fixture(scope="session")
def chroot_host(lab: ExitStack) -> Callable[..., ChrootHost]:
    """``chroot_host(suite, variant)``: one shared host per worker, for tests that change nothing on it."""
    from tests.lab.hosts import ChrootHost

    shared: dict[tuple[str, str], ChrootHost] = {}

    def get(suite: str = "bookworm", variant: str = "bare") -> ChrootHost:
        if (suite, variant) not in shared:
            shared[suite, variant] = lab.enter_context(ChrootHost(suite, variant))
        return shared[suite, variant]

    return get


@pytest.fixture
def new_chroot_host(lab: ExitStack) -> Iterator[Callable[..., ChrootHost]]:
    """``new_chroot_host(suite, variant, setup)``: a host of the test's own."""
    from tests.lab.hosts import ChrootHost, Setup

    with ExitStack() as stack:

        def make(suite: str = "bookworm", variant: str = "bare", setup: Setup | None = None) -> ChrootHost:
            return stack.enter_context(ChrootHost(suite, variant, setup))

        yield make


@pytest.fixture
def booted_host(lab: ExitStack) -> Iterator[Callable[..., BootedHost]]:
    """``booted_host(suite, variant, setup, socket_activated=False)``: a booted host of the test's own."""
    from tests.lab.hosts import BootedHost, Setup

    with ExitStack() as stack:

        def make(
            suite: str = "bookworm",
            variant: str = "bare",
            setup: Setup | None = None,
            *,
            socket_activated: bool = False,
        ) -> BootedHost:
            return stack.enter_context(BootedHost(suite, variant, setup, socket_activated=socket_activated))

        yield make
