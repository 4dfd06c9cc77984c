"""How a host differs from the cached tree before it starts; tests take ``Setup`` from hosts.py."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.lab import trees

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.lab.host import Host


# sntrup761 takes the two ends 0.12 s of work, at each of some thousand logins; a line of comment makes
# room for it, so that all other lines keep their numbers.
QUICK_KEX = "KexAlgorithms -*sntrup*"
# Else a wrong password, to sshd or sudo, is answered after 2 s of sleep (pam_unix(8), nodelay).
PASSWORDS = "pam_unix.so nullok"


@dataclass(frozen=True)
class Setup:
    """How a host differs from the cached tree before its sshd starts."""

    login_shell: str = "/bin/bash"  # of ana
    key_prefix: str = ""  # options of authorized_keys(5) before ana's key: 'no-X11-forwarding'
    sshd_config: str = ""  # lines put at the end of /etc/ssh/sshd_config
    x11_forwarding: bool = False  # what the main sshd_config says
    files: Mapping[str, str | bytes] = field(default_factory=dict)  # written as root, 0644
    disk_mb: int | None = None  # a disk of this size for what the host writes; None: this machine's disk
    sudo: str = ""  # lines for /etc/sudoers.d/lab, for instance 'ana ALL=(ALL) NOPASSWD: ALL'
    hostname: str = ""  # empty: <suite>-<n>
    x11fwd: bool = False  # x11fwd is installed there too, as /usr/local/bin/x11fwd
    own_network: bool = False  # ChrootHost: a network namespace of its own, reached over a veth pair


def prepare(host: Host) -> None:
    """Write a host's port, name, keys and options into its tree."""
    setup = host.setup
    path = host.root / "etc/ssh/sshd_config"
    text = path.read_text(encoding="utf-8")
    text = re.sub(r"(?m)^#Port .*", f"Port {host.port}", text, count=1)
    text = re.sub(r"(?m)^#ListenAddress 0.*", f"ListenAddress {host.address}", text, count=1)
    text = text.replace("# Ciphers and keying", QUICK_KEX, 1)
    if setup.x11_forwarding:
        text = text.replace("X11Forwarding no", "X11Forwarding yes", 1)
    path.write_text(text + setup.sshd_config + ("\n" if setup.sshd_config else ""), encoding="utf-8")
    if setup.login_shell != "/bin/bash":
        passwd = host.root / "etc/passwd"
        lines = passwd.read_text(encoding="utf-8")
        passwd.write_text(
            re.sub(r"(?m)^(ana:.*:)/bin/bash$", rf"\1{setup.login_shell}", lines), encoding="utf-8"
        )
    trees.spare(host.root)
    (host.root / "etc/hostname").write_text(f"{host.hostname}\n", encoding="utf-8")
    with (host.root / "etc/hosts").open("a", encoding="utf-8") as hosts:
        hosts.write(f"127.0.1.1 {host.hostname}\n")  # or sudo says that it cannot resolve the host
    pam = host.root / "etc/pam.d/common-auth"
    pam.write_text(
        pam.read_text(encoding="ascii").replace(PASSWORDS, f"{PASSWORDS} nodelay"), encoding="ascii"
    )
    for user in host.users:
        host.authorize(user, setup.key_prefix if user == "ana" else "")
    if setup.sudo:
        host.write("/etc/sudoers.d/lab", setup.sudo + "\n", mode=0o440)
    for name, content in setup.files.items():
        host.write(name, content)
