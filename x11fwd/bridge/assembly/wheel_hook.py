"""Puts the bridge's remote half, ready made, into a wheel; hatchling runs it (pyproject.toml), nobody else.

It needs nothing but the standard library and the sources beside it, and is not part of the wheel itself.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class RemoteHalf(BuildHookInterface):  # type: ignore[misc, type-arg, unused-ignore] # hatchling may be missing
    """Adds one file."""

    PLUGIN_NAME = "custom"
    _folder: str | None = None

    def initialize(self, version: str, build_data: dict[str, dict[str, str]]) -> None:
        """Make it from the sources that the wheel is made of; an editable installation has no use for it."""
        if version == "editable":
            return
        sys.path.insert(0, self.root)
        try:
            from x11fwd.bridge.assembly.assemble import NAME, write_ready_made

            self._folder = tempfile.mkdtemp()
            path = Path(self._folder, NAME)
            write_ready_made(str(path))
            build_data["force_include"][str(path)] = f"x11fwd/bridge/assembly/{NAME}"
        finally:
            sys.path.remove(self.root)

    def finalize(self, version: str, build_data: dict[str, object], artifact_path: str) -> None:
        """Take the file away, which is in the wheel now."""
        del version, build_data, artifact_path
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
