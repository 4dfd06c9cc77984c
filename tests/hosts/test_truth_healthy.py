"""Healthy hosts of different make: no FAIL, no WARN, and nothing UNKNOWN without a good reason."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.hosts.conftest import TRUTH
from tests.hosts.truth.rig import Scene, Setup, Stage
from tests.lab.hosts import ChrootHost

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import ExitStack

SUDO = "ana ALL=(ALL) NOPASSWD: ALL"
ON = Setup(x11_forwarding=True)


def nothing(_scene: Scene) -> None:
    pass


def own_venv(scene: Scene) -> None:
    """A venv whose interpreter sees Debian's matplotlib, used from the login on, as `activate` in .bashrc."""
    scene.host.run("python3 -m venv --without-pip --system-site-packages ~/env", user="ana")
    scene.host.append("/home/ana/.bashrc", ". ~/env/bin/activate\n")


def tkagg_by_file(scene: Scene) -> None:
    scene.host.write("/home/ana/.config/matplotlib/matplotlibrc", "backend: TkAgg\n", user="ana")


def behind_a_jump_host(scene: Scene) -> None:
    jump = scene.keeping.enter_context(ChrootHost("bookworm", "bare"))
    scene.person.lab.alias("jump", jump)
    scene.person.config("ProxyJump jump")


def set_up(scene: Scene) -> None:
    ran = scene.person.run(scene.person.lab.x11fwd("setup", "--yes", scene.alias), timeout=300)
    assert ran.rc == 0, ran


@dataclass(frozen=True)
class Healthy:
    """A host of one make; `unknown`: ids that nobody can know there, with why."""

    name: str
    stage: Stage
    prepare: Callable[[Scene], None] = nothing
    unknown: tuple[str, ...] = ()


HOSTS: tuple[Healthy, ...] = (
    Healthy("Debian 11", Stage(suite="bullseye", setup=ON)),
    Healthy("Debian 12, a user with sudo", Stage(setup=Setup(x11_forwarding=True, sudo=SUDO))),
    Healthy("Debian 12, a user without sudo", Stage(user="ben", setup=ON)),
    Healthy("Debian 13, booted, ssh.socket", Stage(suite="trixie", kind="socket", setup=ON)),
    Healthy("Debian 12, booted", Stage(kind="booted", setup=ON)),
    Healthy("login shell dash", Stage(setup=Setup(x11_forwarding=True, login_shell="/bin/dash"))),
    *(
        Healthy(
            f"login shell {shell}",
            Stage(variant="plot-shells", setup=Setup(x11_forwarding=True, login_shell=f"/usr/bin/{shell}")),
        )
        for shell in ("zsh", "fish", "tcsh")
    ),
    Healthy("after x11fwd setup", Stage(setup=Setup(sudo=SUDO)), set_up),
    Healthy("a venv of the user's", Stage(setup=ON), own_venv),
    Healthy("TkAgg by matplotlibrc", Stage(setup=ON), tkagg_by_file),
    Healthy("behind a jump host", Stage(setup=ON), behind_a_jump_host),
    Healthy(
        "untrusted forwarding",
        Stage(setup=ON, options="ForwardX11 yes\nForwardX11Trusted no\nForwardX11Timeout 0"),
    ),
    Healthy("trusted forwarding", Stage(setup=ON, options="ForwardX11 yes\nForwardX11Trusted yes")),
    Healthy("Qt beside Tk", Stage(variant="qt", setup=ON)),
)


@pytest.mark.parametrize("host", HOSTS, ids=[host.name for host in HOSTS])
def test_a_healthy_host_yields_no_warning(
    lab: ExitStack, record_property: Callable[[str, object], None], host: Healthy
) -> None:
    record_property(TRUTH, json.dumps(["healthy", host.name]))
    with Scene(host.stage) as scene:
        host.prepare(scene)
        seen = scene.doctor()
        seen.assert_clean()
        assert set(seen.unknowns) <= set(host.unknown), str(seen)
