"""Ansible goes on for a moment behind its last host, and is not ended there with the process."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = """\
import sys, threading
from types import SimpleNamespace as Some
from x11fwd.cli import door, main, setup_ansible
from x11fwd.cli.job import Job
from x11fwd.pipeline import ansible_engine, ansible_process
from x11fwd.transports.local import LocalTransport

answered = threading.Event()

def ansible(*words, **more):
    answered.set()
    LocalTransport().run(("sh", "-c", "sleep 1; echo away > $TMPDIR/put"))

ansible_engine.run_with_ansible = ansible
ansible_process.program = lambda: ("ansible",)

def command():
    member = Some(name="gpu1")
    fleet = Some(members=[member], begin=lambda name: True, put=None, stop_asked=threading.Event())
    settings = dict(ask_become=False, inventory=None, jobs=1, yes=True, vault_password_file=None)
    asked = Some(**settings, verify=None, options=None)
    setup_ansible.start_ansible(asked, None, fleet, None, None, None)(fleet)
    answered.wait()
    return 0

door._parse = lambda words: Job(command)
sys.argv[1:] = ["x"]
sys.exit(main())
"""


def test_ansible_puts_away_what_it_has(tmp_path: Path) -> None:
    path = os.pathsep.join(one for one in sys.path if one)
    environment = {**os.environ, "PYTHONPATH": path, "TMPDIR": str(tmp_path)}
    argv = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=240, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "put").read_text() == "away\n"
