"""A person at this machine: an account made for a test, who runs programs and ssh; tests use it.

The account exists only in the mount namespace of the programs it runs, where /etc/passwd and /etc/group are
copies with one line more (ssh takes the home from there, not from $HOME). The machine's own files are never
touched, so nothing has to be put back, and two test processes never wait for a lock.
"""

from __future__ import annotations

import os
import secrets
import shutil
import stat
import subprocess
import threading
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from tests.lab import runs
from tests.lab.host import Host, Ran, text
from tests.lab.python import readable_python
from tests.lab.reach import client_key
from tests.lab.runs import LabError, current_run
from tests.lab.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    from tests.lab.screen import Screen

ASSEMBLE = "import sys; from x11fwd.bridge.assembly.assemble import assemble; assemble(sys.argv[1])"

# env: a test run in the background has SIGINT ignored, and every program it starts would inherit that.
ENTER = """
place=$1 uid=$2
shift 2
for name in passwd group shadow; do mount --bind "$place/$name" "/etc/$name"; done
while [ "$1" != -- ]; do
    case $1 in
    over) mount -t overlay -o "ro,lowerdir=$2:$3" x11fwd-lab "$3" ;;
    bind) mount --bind "$2" "$3" ;;
    esac
    shift 3
done
shift
exec setpriv --reuid="$uid" --regid="$uid" --init-groups env --default-signal "$@"
"""


class Person:
    """An ordinary account with its own HOME and ``~/.ssh``; a context manager that ends all its processes."""

    def __init__(self, name: str = "lena", *, shell: str = "/bin/bash", python: Path | None = None) -> None:
        """Make the account.

        Args:
            name: login name; only this person's own programs know it, so several may have the same.
            shell: login shell.
            python: the interpreter that has x11fwd; default: see ``readable_python``.
        """
        record = current_run()
        self.dir = record.claim("person")
        self.dir.chmod(0o711)
        self.name, self.shell = name, shell
        # Unique among live test processes: nobody else's processes are ended with this person.
        self.uid = 100_000 + os.getpid() * 1000 + record.number() % 1000
        record.record_uid(self.uid)
        self._remove_sockets()
        self.home = self.dir / name
        self.python = python or readable_python()
        self.environment: dict[str, str] = {}  # added to every program's environment
        self._terminals: list[Terminal] = []
        self._writing = threading.Lock()  # a test may add hosts from several threads
        self._over: dict[str, Path] = {}  # folder of this machine -> what is laid over it
        self._bound: dict[str, Path] = {}  # path of this machine -> what is seen there instead
        for source, line in (
            ("passwd", f"{name}:x:{self.uid}:{self.uid}::{self.home}:{shell}\n"),
            ("group", f"{name}:x:{self.uid}:\n"),
            ("shadow", f"{name}:*:19000:0:99999:7:::\n"),
        ):
            lines = Path("/etc", source).read_text(encoding="utf-8").splitlines(keepends=True)
            text = "".join(old for old in lines if not old.startswith(f"{name}:")) + line
            (self.dir / source).write_text(text, encoding="utf-8")
            (self.dir / source).chmod(0o640 if source == "shadow" else 0o644)
        self.home.mkdir(mode=0o700)
        os.chown(self.home, self.uid, self.uid)
        self.write(".ssh/id_ed25519", client_key().read_bytes(), mode=0o600)
        self.write(".ssh/id_ed25519.pub", client_key().with_suffix(".pub").read_bytes())

    # -- what lies in the home

    def write(self, path: str, content: str | bytes, *, mode: int = 0o644) -> Path:
        """Write a file below the home (folders are made, 0700); returns its path."""
        target = self.home / path
        for folder in reversed([target.parent, *target.parent.parents]):
            if self.home in folder.parents and not folder.exists():
                folder.mkdir(mode=0o700)
                os.chown(folder, self.uid, self.uid)
        target.write_bytes(content.encode() if isinstance(content, str) else content)
        target.chmod(mode)
        os.chown(target, self.uid, self.uid)
        return target

    def trust(self, host: Host, *, port: int | None = None) -> None:
        """Add the host's key to known_hosts, under its own port or that of a relay in front of it."""
        path = self.home / ".ssh/known_hosts"
        old = path.read_text(encoding="ascii") if path.exists() else ""
        line = f"[{host.address}]:{port or host.port} {host.host_key()}\n"
        self._put_in_place(".ssh/known_hosts", old + line)

    def _put_in_place(self, path: str, content: str) -> None:
        """Write a file that programs may be reading at this moment: they see the old one or the new one."""
        new = self.write(f"{path}.new", content, mode=0o600)
        new.replace((self.home / path).resolve())

    def alias(
        self, name: str, host: Host, *, user: str = "ana", port: int | None = None, lines: str = ""
    ) -> str:
        """Add ``Host name`` to ~/.ssh/config and trust the host; returns the name, a target for ssh."""
        with self._writing:
            return self._alias(name, host, user, port, lines)

    def _alias(self, name: str, host: Host, user: str, port: int | None, lines: str) -> str:
        self.trust(host, port=port)
        path = self.home / ".ssh/config"
        old = path.read_text(encoding="utf-8") if path.exists() else ""
        block = f"Host {name}\n    HostName {host.address}\n    Port {port or host.port}\n    User {user}\n"
        block += "".join(f"    {line}\n" for line in lines.splitlines())
        self._put_in_place(".ssh/config", old + block)
        return name

    def use_screen(self, screen: Screen) -> None:
        """Sit down at a screen: its cookie goes into ~/.Xauthority, DISPLAY into the environment."""
        self.write(".Xauthority", screen.authority.read_bytes(), mode=0o600)
        self.environment["DISPLAY"] = screen.display

    def has_bridged(self) -> None:
        """Be one whose x11fwd has put the far half of the bridge together before, half a second of work."""
        self.write(".cache/x11fwd/remote-half", _remote_half(self.python), mode=0o600)

    # -- what its programs see of this machine, from the next one on

    def hide(self, path: str) -> None:
        """Let a file or folder of this machine not exist: `/usr/bin/xauth`. The folder becomes read-only."""
        _, inner = self._layer(path)
        if os.path.lexists(inner):
            runs.remove(inner) if inner.is_dir() else inner.unlink()
        os.mknod(inner, stat.S_IFCHR, os.makedev(0, 0))  # overlayfs' mark of a deleted entry

    def show(self, path: str, content: str | bytes = "", *, mode: int = 0o644, folder: bool = False) -> None:
        """Let a file (or an empty folder) be there; what is above it is made. The folder becomes read-only.

        A file that exists may also lie in /proc: `show("/proc/version", "…")`.
        """
        data = content.encode() if isinstance(content, str) else content
        if Path(path).is_file() and Path(path).parts[1] in {"proc", "sys"}:
            copy = self.dir / f"shown-{len(self._bound)}"
            copy.write_bytes(data)
            copy.chmod(mode)
            self.bind(copy, path)
            return
        _, inner = self._layer(path)
        if folder:
            inner.mkdir(mode=0o755)
        else:
            inner.write_bytes(data)
            inner.chmod(mode)

    def bind(self, source: Path, path: str) -> None:
        """Let a file or folder be seen at another path, which must exist."""
        self._bound[path] = source

    def see_no_screens(self) -> None:
        """Let no socket of an X server be there; other tests have servers that let everybody in."""
        folder = self.dir / "no-screens"
        folder.mkdir(exist_ok=True)
        self.bind(folder, "/tmp/.X11-unix")

    def unveil(self) -> None:
        """See this machine as it is again."""
        self._over.clear()
        self._bound.clear()

    def _layer(self, path: str) -> tuple[Path, Path]:
        """The layer over the deepest folder on the way to ``path`` that exists, and the path in it."""
        base = Path(path).parent
        while not base.is_dir():
            base = base.parent
        over = next((p for p in (base, *base.parents) if str(p) in self._over), base)
        if len(over.parts) < 2 or over.parts[1] in {"proc", "sys", "dev", "tmp", "run"}:
            raise LabError(f"{path}: nothing can be laid over {over}")
        if str(over) not in self._over:
            layer = self.dir / f"over-{len(self._over)}-{secrets.token_hex(4)}"
            layer.mkdir()
            self._over[str(over)] = layer
        layer = self._over[str(over)]
        inner = layer / Path(path).relative_to(over)
        inner.parent.mkdir(parents=True, exist_ok=True)
        return layer, inner

    # -- programs

    def env(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        """The clean environment of a program, ``self.environment`` and ``extra`` on top."""
        return {
            "HOME": str(self.home),
            "USER": self.name,
            "LOGNAME": self.name,
            "SHELL": self.shell,
            "PATH": f"{self.python.parent}:/usr/local/bin:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            **self.environment,
            **(extra or {}),
        }

    def argv(self, command: Sequence[str]) -> list[str]:
        """The full command line that runs ``command`` as this person (needs root)."""
        enter = ["unshare", "--mount", "--propagation", "private", "sh", "-ec", ENTER, "sh"]
        mounts = [w for place, layer in self._over.items() for w in ("over", str(layer), place)]
        mounts += [w for place, source in self._bound.items() for w in ("bind", str(source), place)]
        return [*enter, str(self.dir), str(self.uid), *mounts, "--", *command]

    def x11fwd(self, *words: str) -> list[str]:
        """The command ``x11fwd words…`` as this person runs it."""
        return [str(self.python), "-m", "x11fwd", *words]

    def run(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        input: str | bytes | None = None,  # noqa: A002  subprocess calls it so
        timeout: float = 300,
    ) -> Ran:
        """Run a program to its end, without a terminal.

        Raises:
            subprocess.TimeoutExpired: it did not end in ``timeout`` seconds and was killed.
        """
        process = self.popen(argv, env=env, stdin=subprocess.DEVNULL if input is None else subprocess.PIPE)
        data = input.encode() if isinstance(input, str) else input
        try:
            out, err = process.communicate(data, timeout=timeout)
        except subprocess.TimeoutExpired:
            runs.kill(runs.identity_of(process.pid))
            process.communicate()
            raise
        return Ran(process.returncode, text(out), text(err))

    def popen(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        stdin: int | None = subprocess.PIPE,
        stdout: int | None = subprocess.PIPE,
        stderr: int | None = subprocess.PIPE,
    ) -> subprocess.Popen[bytes]:
        """Start a program in a session of its own; its pid is the program's, so signals reach it."""
        process = subprocess.Popen(
            self.argv(argv),
            env=self.env(env),
            cwd=self.home,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
        )
        current_run().record(process.pid)
        return process

    def pty(
        self, argv: Sequence[str], *, env: Mapping[str, str] | None = None, rows: int = 24, columns: int = 80
    ) -> Terminal:
        """Start a program on a terminal of this size; see ``Terminal``."""
        full = {"TERM": "xterm-256color", **self.env(env)}
        terminal = Terminal(self.argv(argv), full, self.home, rows, columns, owner=self.uid)
        self._terminals.append(terminal)
        current_run().record(terminal.pid)
        return terminal

    def processes(self) -> list[str]:
        """``pid command line`` of every process of this person that lives now."""
        pids = runs.pids_of(self.uid)
        return [f"{pid} {runs.command_line(pid)}" for pid in pids]

    def stop(self) -> None:
        """End every process of this person and delete the home."""
        for terminal in self._terminals:
            terminal.close()
        runs.kill_uid(self.uid)
        self._remove_sockets()
        shutil.rmtree(self.dir, ignore_errors=True)

    def _remove_sockets(self) -> None:
        """What a killed session leaves in /tmp: a later process may have this one's pid, and so its uids."""
        shutil.rmtree(f"/tmp/x11fwd-{self.uid}", ignore_errors=True)

    def __enter__(self) -> Person:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


@cache
def _remote_half(python: Path) -> bytes:
    """What x11fwd keeps of the bridge's far half; once per test process."""
    folder = current_run().claim("bridge")
    runs.call([str(python), "-c", ASSEMBLE, str(folder)])
    return (folder / "remote-half").read_bytes()
