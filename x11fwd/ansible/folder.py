"""Writes an exported folder as one: it is there whole or not at all; for this package and the pipeline.

A folder that holds anything but an unchanged earlier export is left alone.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from x11fwd.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["LIST", "write_folder"]

LIST = ".x11fwd-export.json"
"""Digests of what an export wrote: by it the next one knows that nobody has changed anything."""


def write_folder(folder: Path, files: Mapping[str, str]) -> bool:
    """Write all files.

    Returns:
        False where the folder held exactly these already.

    Raises:
        UsageError: the folder holds something else, or cannot be written.
    """
    folder = Path(folder.absolute())
    digests = {path: hashlib.sha256(text.encode()).hexdigest() for path, text in files.items()}
    try:
        before = _found(folder)
        if before == digests:
            return False
        work = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=_parent(folder)))
        try:
            _fill(work, files, digests)
            if folder.is_symlink() or not folder.exists():
                work.rename(folder)
            else:
                _replace(folder, work)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    except OSError as error:
        raise UsageError(f"{folder} cannot be written: {error.strerror or error}") from None
    return True


def _parent(folder: Path) -> Path:
    folder.parent.mkdir(parents=True, exist_ok=True)
    return folder.parent


def _fill(work: Path, files: Mapping[str, str], digests: Mapping[str, str]) -> None:
    for path, text in files.items():
        target = work / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8", newline="\n")
    (work / LIST).write_text(json.dumps(digests, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    work.chmod(0o755)


def _replace(folder: Path, work: Path) -> None:
    """Two renames: whoever dies between them has lost nothing, the old folder lies beside."""
    old = Path(tempfile.mkdtemp(prefix=f".{folder.name}.old.", dir=folder.parent))
    kept = old / folder.name
    try:
        folder.rename(kept)
        work.rename(folder)
    except BaseException:  # Ctrl-C, too
        if kept.exists() and not folder.exists():
            kept.rename(folder)
        raise
    finally:
        if folder.exists():
            shutil.rmtree(old, ignore_errors=True)


def _found(folder: Path) -> dict[str, str]:
    """The digests of what is there; {} for nothing.

    Raises:
        UsageError: anything there is not of an export, or was changed since.
    """
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise UsageError(f"{folder} is no folder", hint="name a folder of its own for the export")
    if not folder.exists():
        return {}
    there = {
        path.relative_to(folder).as_posix(): path
        for path in sorted(folder.rglob("*"))
        if path.is_symlink() or not path.is_dir()
    }
    if not there and not any(folder.iterdir()):
        return {}
    listed = _listed(folder)
    for name, path in there.items():
        if name == LIST:
            continue
        if name not in listed:
            raise UsageError(
                f"{folder} holds {name}, which is not of an export; nothing was written",
                hint="name a folder of its own, for instance one inside it",
            )
        if path.is_symlink() or hashlib.sha256(path.read_bytes()).hexdigest() != listed[name]:
            raise UsageError(
                f"{path} was changed since it was exported; nothing was written",
                hint="export into a new folder and compare the two",
            )
    return {name: digest for name, digest in listed.items() if name in there}


def _listed(folder: Path) -> dict[str, str]:
    try:
        listed = json.loads((folder / LIST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(listed, dict):
        return {}
    return {str(name): str(digest) for name, digest in listed.items()}
