"""Plans: what setup wants to change on one host, before anything is changed; imported by steps, pipeline, ui.

A step *decides* and returns `Change`s; each holds one `Action`, plain data that says exactly what the
apply engine (`steps/engine.py`) will do on the remote and what the journal must hold to take it back.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

__all__ = [
    "Action",
    "ByHand",
    "Change",
    "ChangeResult",
    "ChangeSshd",
    "ControlService",
    "DiffLine",
    "InstallInEnvironment",
    "InstallPackages",
    "Outcome",
    "PackageCommands",
    "Plan",
    "RunCommand",
    "WriteFile",
]


@dataclass(frozen=True)
class PackageCommands:
    """The argument vectors of one package manager, from its family file; package names are appended.

    Attributes:
        name: `apt`, `dnf`, ….
        installed: prints the installed ones among the appended names, one per line.
        all_installed: prints every installed package, one per line (the journal needs the difference).
        refresh: brings the package lists up to date; empty where the manager does so itself.
        install: installs without recommended packages and without upgrading others; waits for the lock.
        remove: removes what is appended.
        lock_files: files whose lock another package manager run would hold, for the message while waiting.
        environment: variables for all of them (`DEBIAN_FRONTEND`, …).
        try_remove: fails where something else needs what is appended; empty where `remove` itself refuses.
        lock_words: what the manager says when somebody else holds its lock.
        lock_path: a file that is there as long as somebody holds it.
        hint: what to do where an install fails.
    """

    name: str
    installed: tuple[str, ...]
    all_installed: tuple[str, ...]
    refresh: tuple[str, ...]
    install: tuple[str, ...]
    remove: tuple[str, ...]
    lock_files: tuple[str, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    try_remove: tuple[str, ...] = ()
    lock_words: tuple[str, ...] = ()
    lock_path: str = ""
    hint: str = ""


@dataclass(frozen=True)
class InstallPackages:
    """Packages of the system; undo offers to remove those that were not there before."""

    commands: PackageCommands
    names: tuple[str, ...]


@dataclass(frozen=True)
class InstallInEnvironment:
    """Python packages into one environment by its own pip or conda; undo removes what was not there before.

    Attributes:
        python: the environment's interpreter.
        installer: `pip` or `conda`.
        prefix: sys.prefix of the environment.
        names: requirements (`matplotlib`).
        user: into the user's own site-packages, of an interpreter that is not theirs.
        proof: Python that has to run afterwards; what was installed goes again where it does not.
    """

    python: str
    installer: str
    prefix: str
    names: tuple[str, ...]
    tool: str | None = None  # path of conda or mamba where installer is `conda`
    user: bool = False
    proof: str = ""


@dataclass(frozen=True)
class WriteFile:
    """One file's whole new content, written atomically beside a backup; symlinks are followed, not replaced.

    Attributes:
        path: absolute path on the remote.
        content: the new bytes.
        before_sha256: digest of what the plan was made from, None where the file must not exist yet; the
            engine refuses when somebody changed it in between.
        mode: for a new file; an existing one keeps mode and owner.
    """

    path: str
    content: bytes
    before_sha256: str | None
    mode: int = 0o644


@dataclass(frozen=True)
class ChangeSshd:
    """One change of sshd's configuration, made the way DESIGN.md says (validated, watched, confirmed).

    Attributes:
        file: the drop-in or the main file to write.
        binary: path of sshd.
        config_file: the main file the daemon uses; `custom_config` says that it was named by `-f`.
        expect: keyword (lower case) -> value that `sshd -T -C` must answer for this connection afterwards.
        connection: `sshd -T -C` text: `user=…,host=…,addr=…,laddr=…,lport=…`.
        reload: argument vectors to try in order; `{pid}` stands for the listener's process id.
        confirm_seconds: how long the watcher waits.
    """

    file: WriteFile
    binary: str
    config_file: str
    custom_config: bool
    expect: tuple[tuple[str, str], ...]
    connection: str
    reload: tuple[tuple[str, ...], ...]
    confirm_seconds: int = 60


@dataclass(frozen=True)
class ControlService:
    """A service that has to be in one state (`reloaded`, `started`, `enabled`)."""

    name: str
    state: str
    commands: tuple[tuple[str, ...], ...]
    undo: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class RunCommand:
    """A playbook's own command: `check` exits 0 when nothing needs doing.

    Attributes:
        undo: () for what does not come back, such as a lock that nobody holds: it leaves no journal entry.
    """

    check: tuple[str, ...]
    do: tuple[str, ...]
    undo: tuple[str, ...]


@dataclass(frozen=True)
class ByHand:
    """What x11fwd never does itself (an image, a generated system): the change's lines are for a person."""


Action = (
    InstallPackages | InstallInEnvironment | WriteFile | ChangeSshd | ControlService | RunCommand | ByHand
)


@dataclass(frozen=True)
class DiffLine:
    """One line of the readable diff: mark `+`, `-`, ` ` or `@` (a heading such as a file name)."""

    mark: str
    text: str


@dataclass(frozen=True)
class Change:
    """One thing that will be changed, complete: what a person reads and what the engine does.

    Attributes:
        id: kebab-case, unique in its plan, the same on every run (`packages-system`, `sshd-x11forwarding`).
        title: imperative (`Install xauth and python3-tk`).
        diff: what will be different, for the person.
        become: needs root's rights.
        admin_lines: shell lines an administrator would type to get the same by hand.
        note: one more sentence where something will still stand in the way ("$MPLBACKEND still wins").
        admin_undo: shell lines that take `admin_lines` back.
    """

    id: str
    title: str
    action: Action
    become: bool
    diff: tuple[DiffLine, ...] = ()
    admin_lines: tuple[str, ...] = ()
    note: str = ""
    admin_undo: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """Everything setup would do on one host, in order; an empty plan is success.

    Attributes:
        playbook: its name.
        changes: those that can be done with the rights at hand.
        left_to_admin: those that need root where we have none, or a person.
        warnings: sentences about what would still win over our changes.
        notes: sentences about what is right already and why it is left alone.
    """

    playbook: str
    changes: tuple[Change, ...] = ()
    left_to_admin: tuple[Change, ...] = ()
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()  # logical packages that nothing here can bring

    @property
    def empty(self) -> bool:
        return not self.changes and not self.left_to_admin

    @property
    def by_hand(self) -> tuple[Change, ...]:
        """Those that x11fwd does for nobody."""
        return tuple(one for one in self.left_to_admin if isinstance(one.action, ByHand))

    @property
    def without_rights(self) -> tuple[Change, ...]:
        """Those that somebody else's rights would do."""
        return tuple(one for one in self.left_to_admin if not isinstance(one.action, ByHand))

    @property
    def touches_sshd(self) -> bool:
        return any(isinstance(change.action, ChangeSshd) for change in self.changes)


class Outcome(Enum):
    DONE = "done"
    UNCHANGED = "unchanged"
    FAILED = "failed"  # and undone
    PENDING = "pending"  # sshd reloaded, watcher armed, waits for its confirmation


@dataclass(frozen=True)
class ChangeResult:
    """What became of one change; `detail` is the remote's own last words where it failed."""

    change: str
    outcome: Outcome
    detail: str = ""
    journal: tuple[str, ...] = field(default=())  # ids of the journal entries it made
