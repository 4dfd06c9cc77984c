"""`setup --engine ansible` on many kinds of hosts at once: dnf, zypper, pacman, an old main file, a vault."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from tests.hosts.ansible_rig import inventory, through_ansible
from tests.hosts.engine_rig import settle
from tests.hosts.setup_rig import Ears, Person, UndoEars, target_of, undo_yes, yes
from tests.hosts.test_package_managers import SYSTEMS, made
from tests.lab.hosts import ChrootHost, Setup, diff
from tests.lab.relay import Relay
from x11fwd.errors import ChangeError
from x11fwd.pipeline.setup import SetupOptions, SetupStatus, run_setup
from x11fwd.pipeline.undo import UndoOptions, UndoStatus, run_undo
from x11fwd.steps.sshd_block import main_text

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.lab.host import Host
    from x11fwd.pipeline.setup import SetupResult

MAIN = "etc/ssh/sshd_config"
# what an OpenSSH older than 8.2 has: no Include, and a Match block that a line at the end would belong to
OLD_MAIN = "UsePAM yes\nX11Forwarding no\nMatch User ben\n    X11Forwarding no\n"
PASSWORD = "ana ALL=(ALL) ALL"


def old_host() -> ChrootHost:
    host = ChrootHost("bookworm", "plot", Setup(sudo=PASSWORD))
    text = (host.root / MAIN).read_text()
    lines = [line for line in text.splitlines() if line.startswith(("Port", "ListenAddress"))]
    host.write(f"/{MAIN}", "\n".join(lines) + "\n" + OLD_MAIN)
    return host


def vaulted(folder: Path, password: str) -> tuple[str, Path]:
    """sudo's password as `ansible-vault encrypt_string` writes it, and the file that opens it."""
    key = folder / "vault-password"
    key.write_text("correct horse\n", encoding="utf-8")
    words = ["vault", "encrypt_string", "--vault-password-file", str(key), "--stdin-name"]
    done = subprocess.run(
        [sys.executable, "-m", "ansible", *words, "ansible_become_password"],
        input=password,
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
        env={"LC_ALL": "C.UTF-8", "HOME": str(folder), "PATH": "/usr/bin:/bin"},
    )
    return done.stdout, key


def test_every_kind_of_host_is_set_up_in_one_run_and_our_own_engine_finds_nothing_left(
    lab: object, new_chroot_host: Callable[..., ChrootHost], tmp_path: Path
) -> None:
    del lab
    with ThreadPoolExecutor() as beside:
        making = [beside.submit(made, new_chroot_host, system) for system in SYSTEMS.values()]
        old = old_host()
        families = {name: one.result() for name, one in zip(SYSTEMS, making, strict=True)}
    with old, Relay(old.port) as relay:
        whole = (old.root / MAIN).read_text()
        before = old.snapshot()
        # the old host's door opens when another host has been told of: nobody waits for the slowest
        relay.freeze()
        hosts: list[Host] = [*families.values(), old]
        file = inventory(
            tmp_path,
            hosts,
            {old.hostname: f"ansible_port={relay.port} ansible_timeout=900 x11fwd_only_me=true"},
        )
        known = tmp_path / f"known-{old.port}"
        known.write_text(known.read_text().replace(f":{old.port} ", f":{relay.port} "), encoding="utf-8")
        secret, key = vaulted(tmp_path, old.password)
        (tmp_path / "host_vars").mkdir()
        (tmp_path / f"host_vars/{old.hostname}.yml").write_text(secret, encoding="utf-8")
        assert old.password not in secret

        results, _ = through_ansible(file, SetupOptions(), vault=key, told=lambda _name: relay.thaw())

        assert {name: (one.status, str(one.error)) for name, one in results.items()} == {
            host.hostname: (SetupStatus.DONE, "None") for host in hosts
        }
        assert list(results)[-1] == old.hostname
        for name, host in families.items():
            system = SYSTEMS[name]
            for package in system.packages:
                assert host.run([*system.installed, package]).rc == 0
            assert "X11Forwarding yes" in (host.root / "etc/ssh/sshd_config.d/00-x11fwd.conf").read_text()
        assert (old.root / MAIN).read_text() == main_text(whole, (("X11Forwarding", "yes"),), "ana")

        def ours(host: Host) -> SetupResult:
            options = SetupOptions(only_me=host is old)
            person = Person(old.password)
            return run_setup(target_of(host, tmp_path), options, person, Ears(), yes)

        with ThreadPoolExecutor(2) as beside:
            again = dict(zip(hosts, beside.map(ours, hosts), strict=True))
        assert {host: (one.status, one.results) for host, one in again.items()} == dict.fromkeys(
            hosts, (SetupStatus.ALREADY, ())
        )

        # without the vault's key the host is named, and what opens it
        locked, _ = through_ansible(file, SetupOptions(dry_run=True))
        assert locked[old.hostname].status is SetupStatus.FAILED
        assert isinstance(locked[old.hostname].error, ChangeError)
        assert {locked[host.hostname].status for host in families.values()} == {SetupStatus.ALREADY}

        undone = run_undo(target_of(old, tmp_path), UndoOptions(), Person(old.password), UndoEars(), undo_yes)
        assert (undone.status, undone.error) == (UndoStatus.DONE, None)
        settle(old)
        assert diff(before, old.snapshot(), ignore=["/home/ana/.ansible", "/home/ana/.Xauthority"]) == []
