"""Where this process itself runs: in a session of ssh, under sudo, in tmux, in a container; for pipeline.

/proc (or ps) -> ancestors -> environment -> PlaceFacts
"""

from __future__ import annotations

import contextlib
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from x11fwd.facts.place_ancestors import Process, by_proc, by_ps, run_here, sshd_runs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from x11fwd.transports.base import Transport

__all__ = ["PlaceFacts", "Process", "find_place", "is_forwarded"]

_NO_LOGIN = 0xFFFFFFFF  # /proc/self/loginuid of a process that nobody logged in for
_ESTABLISHED = "01"  # proc_net_tcp(5)
_FIRST_DISPLAY = 10  # sshd_config(5), X11DisplayOffset

# Variables that batch systems set in a job, and the one with the host where it was submitted.
_JOBS = (
    ("SLURM_JOB_ID", "SLURM_SUBMIT_HOST", "Slurm"),
    ("PBS_JOBID", "PBS_O_HOST", "PBS"),
    ("LSB_JOBID", "LSB_SUB_HOST", "LSF"),
    ("FLUX_JOB_ID", "", "Flux"),
    ("SGE_TASK_ID", "SGE_O_HOST", "Grid Engine"),
)
_ENVIRONMENT = ("DISPLAY", "XAUTHORITY", "SSH_CONNECTION", "SSH_TTY", "TMUX", "TMUX_PANE", "STY", "SUDO_USER")
_FORWARDED = re.compile(r"(?:localhost|127\.0\.0\.1|\[::1\]):(\d+)(?:\.\d+)?$")


@dataclass(frozen=True)
class PlaceFacts:
    """What stands between this process and the session that sshd opened.

    Attributes:
        in_session: an sshd is among the ancestors, or SSH_CONNECTION says so: this machine is the remote one.
        why: what shows that, as a clause.
        ancestors: parent first.
        uid: the effective user of this process.
        owner: user whose session it is (the process below sshd, else /proc/self/loginuid, else SUDO_UID);
            None where that cannot be told.
        owner_name, owner_home: of passwd(5), empty where unknown.
        container: what kind of container this is in (`docker`, `podman`, …), empty outside of one.
        job: the batch system whose job this is, empty outside of one.
        submit_host: where it was submitted, empty where it does not say.
        hostname: this machine's, in full.
        sshd_here: in this container an sshd runs, so that panes and editors in it are no place apart.
        environment: variables of this process that matter here.
        own_network: the network here is not that of the sshd above us: `localhost` is another place.
        tmux: variables that tmux would give to a new pane, from `tmux show-environment`; None without tmux.
    """

    in_session: bool = False
    why: str = ""
    ancestors: tuple[Process, ...] = ()
    uid: int = -1
    owner: int | None = None
    owner_name: str = ""
    owner_home: str = ""
    container: str = ""
    job: str = ""
    submit_host: str = ""
    hostname: str = ""
    environment: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    own_network: bool = False
    sshd_here: bool = False
    tmux: Mapping[str, str] | None = None

    def under(self, *kinds: str) -> Process | None:
        """The nearest ancestor of these kinds, as far up as the nearest sshd."""
        for process in self.ancestors:
            if process.kind in kinds:
                return process
            if process.kind == "sshd":
                return None
        return None

    @property
    def apart(self) -> bool:
        """sshd is somewhere else: in another container than we are, or in another network."""
        return self.own_network or bool(self.container and not self.below_sshd and not self.sshd_here)

    @property
    def below_sshd(self) -> bool:
        """An sshd is among the ancestors that can be seen."""
        return any(process.kind == "sshd" for process in self.ancestors)

    @property
    def display_number(self) -> int | None:
        """N of `DISPLAY=localhost:N.0`, as sshd sets it; None for any other value."""
        found = _FORWARDED.match(self.environment.get("DISPLAY", ""))
        return int(found[1]) if found else None


def is_forwarded(display: str) -> bool:
    """Of the kind that sshd sets: `localhost:N.0`, or `host:N.0` with X11UseLocalhost no, N from 10 on."""
    found = re.match(r"(?!unix:)[^:/]+:(\d+)(?:\.\d+)?$|\[::1\]:(\d+)(?:\.\d+)?$", display)
    return found is not None and int(found[1] or found[2]) >= _FIRST_DISPLAY


def find_place(
    local: Transport | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    root: Path = Path("/"),
    pid: int | None = None,
) -> PlaceFacts:
    """Look at this process and its ancestors.

    Args:
        local: where `ps` and `tmux` of this machine run; by default the local transport, where it is needed.
        environ: os.environ, unless given.
        root: where the file tree begins; tests have their own.
        pid: of the process to begin with; ours.
    """
    environ = os.environ if environ is None else environ
    start = os.getppid() if pid is None else pid
    proc = root / "proc"
    if (proc / str(start) / "status").exists():
        ancestors = by_proc(proc, start)
    elif hasattr(os, "getuid"):
        ancestors = by_ps(local, start)
    else:
        ancestors = ()  # Windows: its sshd is not a place for X11
    container = _container(root, environ)
    job, submit_host = _job(environ)
    why = _why(ancestors, environ, container, job)
    if not why:
        return PlaceFacts(ancestors=ancestors, container=container, job=job)
    owner = _owner(ancestors, proc, environ)
    name, home = _account(owner)
    return PlaceFacts(
        in_session=True,
        why=why,
        ancestors=ancestors,
        uid=os.geteuid() if hasattr(os, "geteuid") else -1,
        owner=owner,
        owner_name=name,
        owner_home=home,
        container=container,
        job=job,
        submit_host=submit_host,
        hostname=_hostname(),
        environment=MappingProxyType({one: environ[one] for one in _ENVIRONMENT if one in environ}),
        own_network=_own_network(proc, ancestors, environ),
        sshd_here=bool(container) and sshd_runs(proc),
        tmux=_tmux(local, environ),
    )


def _why(ancestors: Sequence[Process], environ: Mapping[str, str], container: str, job: str) -> str:
    """What says that somebody came here from another machine; empty where nothing does."""
    for process in ancestors:
        if process.kind in {"sshd", "mosh", "et", "ide", "batch"}:
            return f"{process.name} (process {process.pid}) is above this one"
    # a desktop that was started by ssh (VNC) hands the variable on to its terminals
    a_screen = environ.get("DISPLAY", "").startswith(":") and not (environ.get("TMUX") or environ.get("STY"))
    if environ.get("SSH_CONNECTION") and not a_screen:
        return f"SSH_CONNECTION={environ['SSH_CONNECTION']}"
    if job:
        return f"this is a job of {job}"
    display = environ.get("DISPLAY", "")
    if _FORWARDED.match(display) and is_forwarded(display):
        where = f" in {container}" if container else ""
        return f"DISPLAY={display}{where} is of the kind that sshd sets"
    return ""


def _owner(ancestors: Sequence[Process], proc: Path, environ: Mapping[str, str]) -> int | None:
    below = -1
    for process in ancestors:
        if process.kind == "sshd":
            # sshd's own child belongs to the user too, unless root logged in
            return below if below >= 0 else process.uid
        below = process.uid
    with contextlib.suppress(OSError, ValueError):
        login = int((proc / "self/loginuid").read_text(encoding="ascii"))
        if login != _NO_LOGIN:
            return login
    sudo = environ.get("SUDO_UID", "")
    return int(sudo) if sudo.isdigit() else None


def _account(uid: int | None) -> tuple[str, str]:
    if uid is None:
        return "", ""
    try:
        import pwd

        entry = pwd.getpwuid(uid)
    except (ImportError, KeyError):
        return str(uid), ""
    return entry.pw_name, entry.pw_dir


# --- the machine around it --------------------------------------------------------------------------------


def _container(root: Path, environ: Mapping[str, str]) -> str:
    """The marks that container programs leave, empty outside of one."""
    if (root / ".dockerenv").exists():
        return "docker"
    if (root / "run/.containerenv").exists():
        return "toolbox" if (root / "run/.toolboxenv").exists() else "podman"
    if environ.get("APPTAINER_CONTAINER") or environ.get("SINGULARITY_CONTAINER"):
        return "apptainer"
    with contextlib.suppress(OSError):
        text = (root / "proc/1/cgroup").read_text(encoding="utf-8", errors="replace")
        found = re.search(r"docker|libpod|lxc|kubepods|containerd", text)
        if found:
            return {"libpod": "podman", "kubepods": "kubernetes"}.get(found[0], found[0])
    return environ.get("container", "")


def _job(environ: Mapping[str, str]) -> tuple[str, str]:
    for variable, submitted, name in _JOBS:
        if environ.get(variable) and environ[variable] != "undefined":
            return name, environ.get(submitted, "")
    return "", ""


def _hostname() -> str:
    import socket

    return socket.gethostname()


def _own_network(proc: Path, ancestors: Sequence[Process], environ: Mapping[str, str]) -> bool:
    """Below an sshd whose connection does not stand in our network's tables; False where that cannot be told.

    The namespaces of our ancestors may not be looked at from within a user namespace (ptrace(2)).
    """
    words = environ.get("SSH_CONNECTION", "").split()
    if len(words) != 4 or not (words[1].isdigit() and words[3].isdigit()) or words[0] == "UNKNOWN":
        return False
    if not any(process.kind == "sshd" for process in ancestors):
        return False  # that connection may be over
    wanted = (f"{int(words[3]):04X}", f"{int(words[1]):04X}", _ESTABLISHED)
    seen = False
    for name in ("net/tcp", "net/tcp6"):
        with contextlib.suppress(OSError):
            for line in (proc / name).read_text(encoding="ascii", errors="replace").splitlines()[1:]:
                seen = True
                fields = line.split()
                ports = tuple(field.rpartition(":")[2] for field in fields[1:3])
                if (*ports, *fields[3:4]) == wanted:
                    return False
            seen = seen or name == "net/tcp"
    return seen


def _tmux(local: Transport | None, environ: Mapping[str, str]) -> Mapping[str, str] | None:
    """The session's environment of tmux, refreshed when somebody attaches (tmux(1), update-environment)."""
    if not environ.get("TMUX"):
        return None
    found: dict[str, str] = {}
    for line in run_here(local, ("tmux", "show-environment")).splitlines():
        name, equals, value = line.partition("=")
        if equals and name in {"DISPLAY", "XAUTHORITY", "SSH_CONNECTION"}:
            found[name] = value
    return MappingProxyType(found)
