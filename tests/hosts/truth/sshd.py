"""Rows of the truth table about sshd."""

from __future__ import annotations

from tests.hosts.truth.rig import Fault, Scene


def forwarding_off(scene: Scene) -> None:
    scene.host.replace("/etc/ssh/sshd_config", "X11Forwarding yes", "X11Forwarding no")
    scene.reload_sshd()


def key_forbids(scene: Scene) -> None:
    scene.host.prepend("/home/ana/.ssh/authorized_keys", "no-X11-forwarding ")


FAULTS: tuple[Fault, ...] = (
    Fault("sshd-x11forwarding-no", "F49", forwarding_off, says=r"/etc/ssh/sshd_config:\d+", pairs=True),
    Fault("key-no-x11", "F66", key_forbids, says="authorized_keys:1", pairs=True),
)
