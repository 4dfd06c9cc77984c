"""Hosts booted by another init than systemd: sysvinit with Debian's scripts, and OpenRC as Alpine has it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from tests.lab import cgroups
from tests.lab.hosts import BootedHost

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.lab.setup import Setup

__all__ = ["InitHost"]

# inittab(5): only what brings sshd up, so that a host is there within half a second
_SYSVINIT = """\
id:2:initdefault:
si::sysinit:/bin/mkdir -p /run/sshd
ss:2:wait:/etc/init.d/ssh start
"""
_OPENRC = """\
id:2:initdefault:
si::sysinit:/sbin/openrc sysinit
bo::bootwait:/sbin/openrc boot
d2:2:wait:/sbin/openrc default
"""
# what Alpine's and Gentoo's script does, in our own words; a call leaves a line in /run/calls
_SSHD = """\
#!/sbin/openrc-run
extra_started_commands="reload"
command="/usr/sbin/sshd"
pidfile="/run/sshd.pid"
start_pre() {
    checkpath --directory --mode 0755 /run/sshd
    "$command" -t
}
reload() {
    "$command" -t || return 1
    echo reload >>/run/calls
    ebegin "Reloading ${RC_SVCNAME}"
    kill -HUP "$(cat "$pidfile")"
    eend $?
}
"""


class InitHost(BootedHost):
    """A host of the tree `families` whose process 1 is sysvinit's; `kind`: `sysvinit` or `openrc`."""

    def __init__(self, kind: str, setup: Setup) -> None:
        self.kind = kind
        super().__init__("bookworm", "families", setup)

    def start(self) -> None:
        """Boot until sshd greets (0.2 to 0.4 s)."""
        if self.kind == "openrc":
            for level in ("sysinit", "boot", "default"):
                for link in (self.root / "etc/runlevels" / level).iterdir():
                    link.unlink()
            (self.root / "etc/init.d/ssh").unlink()  # it calls itself sshd, too
            self.write("/etc/init.d/sshd", _SSHD, mode=0o755)
            (self.root / "etc/runlevels/default/sshd").symlink_to("/etc/init.d/sshd")
            self.write("/etc/rc.conf", 'rc_sys="systemd-nspawn"\n')
            self.write("/etc/inittab", _OPENRC)
        else:
            self.write("/etc/inittab", _SYSVINIT)
            self.write("/etc/default/ssh", 'SSHD_OPTS=\necho "$1" >>/run/calls\n')
        log = self.dir / "console.log"
        # without --boot, which would find systemd: the named program is process 1
        nspawn = ["systemd-nspawn", "--quiet", f"--directory={self.root}", f"--machine={self.machine}"]
        nspawn += [f"--hostname={self.hostname}", "--register=no", "--keep-unit", "--console=pipe"]
        nspawn += ["--resolv-conf=off", "--timezone=off"]
        nspawn += ["--link-journal=no", "/sbin/init"]
        unified = "1" if Path("/sys/fs/cgroup/cgroup.controllers").exists() else "0"
        environment: Mapping[str, str] = {
            "PATH": os.environ["PATH"],
            "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": unified,
            "SYSTEMD_LOG_LEVEL": "warning",
        }
        enter = cgroups.entering(self.run_record.dir, self.dir.name)
        self._spawn([*enter, *nspawn], log, environment)
        self.wait_for_banner(90, log)

    def calls(self) -> list[str]:
        """What the init's script for sshd was called with, newest last."""
        return self.run(["cat", "/run/calls"]).stdout.split()
