"""`playbook export`: a playbook of ours as a folder for Ansible; for the cli. Prints nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["ExportResult", "export_for_ansible"]


@dataclass(frozen=True)
class ExportResult:
    """What came of it.

    Attributes:
        playbook: its name.
        folder: as given.
        files: paths inside, sorted.
        written: False where the folder held exactly these already.
    """

    playbook: str
    folder: Path
    files: tuple[str, ...]
    written: bool

    @property
    def exit_code(self) -> int:
        return 0


def export_for_ansible(name: str, folder: Path) -> ExportResult:
    """Write a playbook, shipped or a file, as an Ansible playbook with its role.

    Raises:
        UsageError: there is no such playbook, or the folder holds something else.
        PlaybookError: it asks about something that Ansible cannot see.
    """
    from x11fwd.ansible import role_files, write_folder
    from x11fwd.playbook import load_families, load_playbook

    playbook = load_playbook(name)
    files = role_files(playbook, load_families())
    written = write_folder(folder, files)
    return ExportResult(playbook.name, folder, tuple(files), written)
