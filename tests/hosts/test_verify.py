"""`x11fwd verify` against real hosts: pixels arrive, or the true cause is named."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from tests.lab.hosts import Setup
from tests.lab.relay import Relay
from tests.lab.runs import in_time, wait_for
from tests.lab.screen import Screen
from tests.lab.trees import SUITES

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.lab.hosts import ChrootHost
    from tests.lab.person import Person

Document = dict[str, object]


def verified(person: Person, *words: str) -> tuple[int, Document]:
    """Exit status and JSON of `x11fwd verify words…`."""
    ran = person.run(person.x11fwd("verify", "--json", *words), timeout=400)
    assert ran.stdout, ran.stderr
    document: Document = json.loads(ran.stdout)
    assert document["exit_code"] == ran.rc
    return ran.rc, document


def own(document: Document) -> dict[str, str]:
    findings = document["findings"]
    assert isinstance(findings, list)
    found: dict[str, str] = next(one for one in findings if one["id"] == "plot-window")
    return found


def way(document: Document) -> str:
    plot = document["plot"]
    assert isinstance(plot, dict)
    return str(plot["via"])


@pytest.fixture
def plots(person: Person, new_chroot_host: Callable[..., ChrootHost]) -> Callable[..., str]:
    """Makes a host with xauth, Tk and matplotlib that forwards X11; returns its alias."""

    def make(suite: str = "bookworm", **setup: object) -> str:
        host = new_chroot_host(suite, "plot", Setup(x11_forwarding=True, **setup))  # type: ignore[arg-type]
        return person.alias("plots", host)

    return make


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize("transport", ["paramiko", "openssh"])
def test_a_plot_of_each_debian_arrives_through_each_transport(
    suite: str, transport: str, person: Person, plots: Callable[..., str]
) -> None:
    picture = person.home / "plot.png"
    status, document = verified(person, "--transport", transport, "--screenshot", str(picture), plots(suite))
    assert status == 0, own(document)
    assert own(document)["status"] == "pass"
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert re.search(r"DISPLAY=localhost:\d+\.0", own(document)["evidence"])


def test_a_plot_arrives_on_an_x_server_without_security_and_on_one_that_resets(
    person: Person, plots: Callable[..., str]
) -> None:
    alias = plots()
    for screen in (Screen(without=["SECURITY"]), Screen(noreset=False), Screen("1280x800x16")):
        with screen:
            person.use_screen(screen)
            status, document = verified(person, alias)
            assert status == 0, own(document)


@pytest.mark.parametrize("shell", ["/usr/bin/zsh", "/usr/bin/fish", "/usr/bin/tcsh"])
def test_the_plot_gets_the_environment_of_the_login_shell(
    shell: str, person: Person, new_chroot_host: Callable[..., ChrootHost]
) -> None:
    files = {
        "/home/ana/.zshrc": "export MPLBACKEND=svg\necho noise\n",
        "/home/ana/.config/fish/config.fish": "set -gx MPLBACKEND svg\necho noise\n",
        "/home/ana/.tcshrc": "setenv MPLBACKEND svg\necho noise\n",
    }
    setup = Setup(x11_forwarding=True, login_shell=shell, files=files)
    host = new_chroot_host("bookworm", "plot-shells", setup)
    status, document = verified(person, person.alias("plots", host))
    assert status == 1
    assert document["cause"] == "mpl-mplbackend-wins"
    assert "its backend is svg" in own(document)["title"]


@pytest.mark.parametrize(
    ("setup", "cause"),
    [
        ({"sshd_config": "Match User ana\n    X11Forwarding no"}, "sshd-match-block"),
        ({"key_prefix": "no-X11-forwarding"}, "key-no-x11"),
        (
            {"files": {"/home/ana/.profile": "export MPLBACKEND=agg\n"}},
            "mpl-mplbackend-wins",
        ),
        (
            {"files": {"/home/ana/.profile": "export DISPLAY=:0\n"}},
            "start-file-overwrites-display",
        ),
        (
            {"files": {"/home/ana/matplotlibrc": "backend: pdf\n"}},
            "mpl-rc-not-interactive",
        ),
    ],
)
def test_a_plot_that_does_not_arrive_is_put_down_to_its_cause(
    setup: dict[str, object], cause: str, person: Person, plots: Callable[..., str]
) -> None:
    status, document = verified(person, plots(**setup))
    assert status == 1
    assert document["cause"] == cause
    assert own(document)["status"] == "fail"


def test_a_bare_host_fails_and_is_not_waited_for(
    person: Person, chroot_host: Callable[..., ChrootHost]
) -> None:
    alias = person.alias("bare", chroot_host("bookworm", "bare"))
    status, document = in_time(15, lambda: verified(person, alias))
    assert status == 1
    assert own(document)["title"] == "bare refused to forward X11, so nothing was drawn"


def test_a_far_host_has_the_time_it_needs_and_is_remembered_as_far(
    person: Person, new_chroot_host: Callable[..., ChrootHost]
) -> None:
    host = new_chroot_host("bookworm", "plot", Setup(x11_forwarding=True))
    with Relay(host.port, delay=0.0125) as relay:  # Tk waits for 390 answers; from 10 ms on a host is far
        alias = person.alias("far", host, port=relay.port)
        status, document = verified(person, "--via", "native", alias)
        assert status == 0, own(document)
        assert way(document) == "native"
        cache = (person.home / ".cache/x11fwd/links").read_text().split()
        assert cache[:2] == ["127.0.0.1", str(relay.port)]
        assert 0.025 <= float(cache[2]) < 2  # the link's delay, and that of a busy machine
        ran = person.run(person.x11fwd("ssh", "-v", alias, "true"))
        assert "of round trip is far" in ran.stderr


@pytest.mark.parametrize("transport", ["paramiko", "openssh"])
def test_a_far_host_is_verified_by_the_way_that_x11fwd_ssh_takes(
    transport: str, person: Person, new_chroot_host: Callable[..., ChrootHost]
) -> None:
    host = new_chroot_host("bookworm", "plot", Setup(x11_forwarding=True))
    with Relay(host.port, delay=0.0125) as relay:
        alias = person.alias("far", host, port=relay.port)
        status, document = verified(person, "--transport", transport, alias)  # nothing is known of it yet
        assert status == 0, own(document)
        assert way(document) == "bridge"
        assert own(document)["evidence"].endswith("; over the bridge")
        seen = person.run(person.x11fwd("verify", alias), timeout=400)
        assert re.search(
            r"over the bridge, untrusted: [\d.]+ ms of round trip is far; ssh's own forwarding works, too",
            " ".join(seen.stdout.split()),
        ), seen.stdout + seen.stderr


def test_the_persons_settings_decide_by_which_way_a_host_is_verified(
    person: Person, plots: Callable[..., str]
) -> None:
    alias = plots()
    person.write(".config/x11fwd/config", f"Host {alias}\n    Via bridge\n")
    status, document = verified(person, alias)
    assert (status, way(document)) == (0, "bridge"), own(document)
    person.write(".config/x11fwd/config", f"Host {alias}\n    Via pigeon\n")
    wrong = person.run(person.x11fwd("verify", alias))
    assert wrong.rc == 2
    assert "config:2:Viaisnative" in "".join(wrong.stderr.split())


def test_a_kept_window_stays_until_it_is_closed(
    person: Person, plots: Callable[..., str], screen: Screen
) -> None:
    terminal = person.pty(person.x11fwd("verify", "--keep", plots()))
    terminal.read_until(r"pixel for pixel", limit=180)
    windows = screen.windows()
    title = re.search(r'"(x11fwd [0-9a-f]{8})"', windows)
    assert title, windows
    terminal.send("\x03")
    assert terminal.wait() in {0, 130}
    wait_for(lambda: title[1] not in screen.windows(), limit=90, what="the window's end")


def test_nothing_of_the_plot_stays_on_the_host(
    person: Person, new_chroot_host: Callable[..., ChrootHost]
) -> None:
    host = new_chroot_host("bookworm", "plot", Setup(x11_forwarding=True))
    alias = person.alias("plots", host)
    assert verified(person, alias)[0] == 0
    wait_for(
        lambda: "plot" not in host.run(["ps", "-u", "ana", "-o", "args="]).stdout,
        limit=90,
        what="the plot's end",
    )
