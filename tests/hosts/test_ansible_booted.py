"""The exported playbook on hosts booted by systemd: sshd reloads, and what a killed run leaves goes back."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from tests.hosts.ansible_rig import command, inventory
from tests.hosts.engine_rig import MARK, PlainSsh, settle, speaks
from tests.hosts.setup_rig import Ears, Person, target_of, yes
from tests.lab.hosts import BootedHost, Setup
from tests.lab.repositories import XAUTH
from tests.lab.runs import wait_for
from x11fwd.pipeline.export import export_for_ansible
from x11fwd.pipeline.setup import SetupOptions, SetupStatus, run_setup

if TYPE_CHECKING:
    from contextlib import ExitStack

# the addendum shows in the greeting which configuration the running daemon has read
PLAYBOOK = f"""\
schema: x11fwd.playbook/1
name: only-sshd
description: Packages are the affair of other tests.
steps:
  - name: X11 forwarding in sshd
    sshd_option: {{X11Forwarding: "yes", VersionAddendum: {MARK}}}
"""
# Once sshd has been told to read its files again nobody gets in any more; the first try leaves word.
NOBODY_IN = """\
Match exec "ls {root}/var/lib/x11fwd/pending/*/reloading"
    ProxyCommand sh -c 'touch {word}; exec sleep 600'
"""
SUDO = "ana ALL=(ALL) NOPASSWD: ALL"


def main_pid(host: BootedHost) -> str:
    return host.check(["systemctl", "show", "--property=MainPID", "ssh.service"]).strip()


def drop_in(host: BootedHost) -> Path:
    return host.root / "etc/ssh/sshd_config.d/00-x11fwd.conf"


def kill(pid: int) -> None:
    """Ends a program and all that it has started; Ansible's workers are sessions of their own."""
    waiting, found = [pid], []
    while waiting:
        found.append(waiting.pop())
        with contextlib.suppress(OSError):
            children = Path(f"/proc/{found[-1]}/task/{found[-1]}/children").read_text()
            waiting += [int(child) for child in children.split()]
    for one in found:
        with contextlib.suppress(ProcessLookupError):
            os.kill(one, signal.SIGKILL)


def let_time_pass(host: BootedHost) -> None:
    """Ends the watcher's count at once."""
    (waiting,) = host.root.glob("var/lib/x11fwd/pending/*/not-now")
    waiting.rename(waiting.with_name("now"))


def test_sshd_of_booted_hosts_reloads_and_a_run_that_dies_before_it_confirms_is_taken_back(
    lab: ExitStack, tmp_path: Path
) -> None:
    file = tmp_path / "only-sshd.yml"
    file.write_text(PLAYBOOK, encoding="utf-8")
    exported = tmp_path / "exported"
    export_for_ansible(str(file), exported)
    setup = Setup(sudo=SUDO, files=XAUTH)
    service = lab.enter_context(BootedHost("trixie", "bare", setup))
    socket = lab.enter_context(BootedHost("trixie", "bare", setup, socket_activated=True))
    hosts = (service, socket)
    for host in hosts:
        (host.root / "usr/bin/xauth").chmod(0o755)
    before = main_pid(service)

    # killed between the reload and the confirmation
    words = {host: tmp_path / f"at-the-door-{host.port}" for host in hosts}
    options = {}
    for host in hosts:
        config = tmp_path / f"config-{host.port}"
        config.write_text(NOBODY_IN.format(root=host.root, word=words[host]), encoding="utf-8")
        options[host.hostname] = f"ansible_ssh_extra_args='-F {config}'"
    argv, environment = command(tmp_path, inventory(tmp_path, hosts, options), exported)
    with (tmp_path / "killed.out").open("wb") as out:
        process = subprocess.Popen(
            [*argv, "--extra-vars", "x11fwd_confirm_seconds=600"],
            env=environment,
            stdout=out,
            stderr=out,
        )
        try:
            for host in hosts:
                wait_for(words[host].exists, limit=1200, what=f"a new login to {host!r}")
        finally:
            kill(process.pid)
            process.wait()
    for host in hosts:
        wait_for(lambda host=host: speaks(host, marked=True), limit=120, what="sshd with the new file")  # type: ignore[misc]
        let_time_pass(host)
        wait_for(lambda host=host: not drop_in(host).exists(), limit=120, what="the watcher")  # type: ignore[misc]
        settle(host)
        wait_for(lambda host=host: speaks(host, marked=False), limit=120, what="sshd as it was")  # type: ignore[misc]
        assert PlainSsh(host, "ana").run(("true",)).exit_status == 0
        assert not list(host.root.glob("var/lib/x11fwd/journal/*"))
    said = (tmp_path / "killed.out").read_text()
    assert "Set in sshd X11Forwarding yes" in said
    assert "TASK [x11fwd : Confirm" not in said
    assert main_pid(service) == before

    # and left alone: a new login confirms
    argv, environment = command(tmp_path, inventory(tmp_path, hosts), exported)
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    for host in hosts:
        wait_for(lambda host=host: speaks(host, marked=True), limit=120, what="sshd with the new file")  # type: ignore[misc]
        assert "X11Forwarding yes" in drop_in(host).read_text()
        settle(host)
        again = run_setup(target_of(host, tmp_path), SetupOptions(playbook=str(file)), Person(), Ears(), yes)
        assert (again.status, again.error) == (SetupStatus.ALREADY, None)
    assert main_pid(service) == before  # told to read its files again, not started anew
    assert "Reloaded ssh.service" in service.check(["journalctl", "--no-pager", "-u", "ssh.service"])
