"""One run of ansible-playbook on the exported playbook; for ansible_engine only.

Everything it needs lies in a temporary folder that only we may enter. A password goes to its standard input,
never into an argument or the environment.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shlex
import shutil
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from x11fwd.errors import ConnectionLost, UsageError
from x11fwd.transports.scratch import drop_folder, make_folder

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from x11fwd.ansible import Event
    from x11fwd.pipeline.fleet import Member
    from x11fwd.pipeline.setup_model import SetupOptions

__all__ = ["LAST_TASK", "Finished", "Folder", "program"]

LAST_TASK = "x11fwd is through with this host"
# The exported play around the same role, which says of each host when nothing more will come; Ansible itself
# tells plugins of tasks and of the whole run only.
_PLAY = f"""\
---
- name: Windows of programs on these hosts, on the screen in front of you
  hosts: all
  gather_facts: false
  strategy: ansible.builtin.host_pinned
  tasks:
    - name: x11fwd
      block:
        - name: Do it
          ansible.builtin.import_role:
            name: x11fwd
      always:
        - name: {LAST_TASK}
          ansible.builtin.debug:
            msg: ""
"""

_LOOK = 0.2  # seconds between two looks for Ctrl-C
_KEPT = 4000  # bytes of what it says on standard error


@dataclass(frozen=True)
class Finished:
    """How one run ended.

    Attributes:
        words: the end of its standard error.
        stopped: because of Ctrl-C.
    """

    status: int
    words: str
    stopped: bool


def program() -> tuple[str, ...]:
    """ansible-playbook: of our own environment, else the person's.

    Raises:
        UsageError: there is none.
    """
    if importlib.util.find_spec("ansible") is not None:
        return (sys.executable, "-m", "ansible", "playbook")
    found = shutil.which("ansible-playbook")
    if found is None:
        raise UsageError(
            "there is no ansible-core on this machine", hint='`pip install "x11fwd[ansible]"` brings it'
        )
    return (found,)


class Folder:
    """The playbook, the callback and the variables, until `close`.

    Args:
        names: what Ansible calls each member.
        inventory: the person's own; members that are not of it get one beside it.
    """

    def __init__(
        self,
        files: Mapping[str, str],
        options: SetupOptions,
        names: Mapping[str, Member],
        *,
        inventory: Path | None,
    ) -> None:
        from x11fwd.ansible import CALLBACK, callback_text

        self.path = make_folder(prefix="x11fwd-ansible-")
        for path, text in files.items():
            self._put(path, text)
        self._put(f"callback/{CALLBACK}.py", callback_text())
        self._put("fleet.yml", _PLAY)
        self._put("variables.json", json.dumps(_variables(options)))
        self._inventories = [] if inventory is None else [str(inventory)]
        if hosts := {name: _host(member) for name, member in names.items() if member.host is None}:
            ours = self._put("inventory.json", json.dumps({"all": {"hosts": hosts}}))
            self._inventories.append(str(ours))

    def _put(self, path: str, text: str) -> Path:
        target = self.path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        return target

    def close(self) -> None:
        drop_folder(self.path)

    def argv(
        self, names: Sequence[str], *, forks: int, check: bool, password: bool, more: Sequence[str] = ()
    ) -> tuple[str, ...]:
        """The command for these hosts; it holds no secret."""
        from x11fwd.ansible import CALLBACK

        limit = self._put("limit.txt", "".join(f"{name}\n" for name in names))
        theirs = os.environ.get("ANSIBLE_CALLBACK_PLUGINS", "")
        settings = {
            "LC_ALL": "C.UTF-8",  # Ansible refuses to start under C
            "ANSIBLE_STDOUT_CALLBACK": CALLBACK,
            "ANSIBLE_CALLBACK_PLUGINS": f"{self.path / 'callback'}{os.pathsep + theirs if theirs else ''}",
            "ANSIBLE_HOST_KEY_CHECKING": "True",
            # half of the round trips; a sudo that wants a terminal is not for us anyway
            "ANSIBLE_PIPELINING": os.environ.get("ANSIBLE_PIPELINING", "True"),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_RETRY_FILES_ENABLED": "False",
        }
        return (
            "env",
            *(f"{name}={value}" for name, value in settings.items()),
            *program(),
            *(word for file in self._inventories for word in ("--inventory", file)),
            *("--limit", f"@{limit}", "--forks", str(forks)),
            *("--extra-vars", f"@{self.path / 'variables.json'}"),
            *(("--check", "--diff") if check else ()),
            *(("--become-password-file", "-") if password else ()),
            *more,
            str(self.path / "fleet.yml"),
        )

    def run(
        self,
        argv: Sequence[str],
        hear: Callable[[Event], None],
        stop: threading.Event,
        *,
        password: str | None = None,
    ) -> Finished:
        """Run it to its end, telling each event as it comes."""
        from x11fwd.ansible import parse_event
        from x11fwd.transports.local import LocalTransport

        stream = LocalTransport().stream(argv)
        rest, stopped = b"", False
        try:
            if password is not None:
                stream.write(password.encode("utf-8", "surrogateescape") + b"\n")
            stream.close_write()
            while True:
                if stop.is_set() and not stopped:
                    stopped = True
                    stream.interrupt()
                try:
                    data = stream.read(65536, timeout=_LOOK)
                except TimeoutError:
                    continue
                *lines, rest = (rest + data).split(b"\n")
                for line in lines:
                    event = parse_event(line.decode("utf-8", "replace"))
                    if event is not None:
                        hear(event)
                if not data:
                    break
            status = stream.wait(20.0)
            return Finished(status, stream.stderr()[-_KEPT:].decode("utf-8", "replace"), stopped)
        except (ConnectionLost, TimeoutError):
            return Finished(1, stream.stderr()[-_KEPT:].decode("utf-8", "replace"), stopped)
        finally:
            stream.close()


def _variables(options: SetupOptions) -> dict[str, str | int | bool]:
    found: dict[str, str | int | bool] = {"x11fwd_confirm_seconds": options.confirm_seconds}
    if options.backend:
        found["x11fwd_backend"] = options.backend
    if options.only_me:
        found["x11fwd_only_me"] = True
    if options.python:
        found["x11fwd_python"] = options.python
    if options.sshd_config:
        found["x11fwd_sshd_config"] = options.sshd_config
    return found


def _host(member: Member) -> dict[str, str | int]:
    """A target of the command line, in the inventory's words; ssh reads its own configuration as always."""
    target = member.target
    found: dict[str, str | int] = {"ansible_host": target.host}
    if target.user:
        found["ansible_user"] = target.user
    if target.port:
        found["ansible_port"] = target.port
    if words := target.options.argv():
        found["ansible_ssh_common_args"] = shlex.join(words)
    return found
