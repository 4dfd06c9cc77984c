"""Golden texts: compared whole; `X11FWD_ACCEPT=1 pytest` writes new ones, to be read before a commit."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# read at import: the tests' clean environment takes the variable away
_ACCEPT = os.environ.get("X11FWD_ACCEPT") == "1"


def assert_golden(folder: Path, name: str, text: str) -> None:
    """`text` is what `folder/golden/name` holds."""
    file = folder / "golden" / name
    if _ACCEPT:
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    assert file.exists(), f"{file} is missing; run with X11FWD_ACCEPT=1 and read it"
    assert text == file.read_text(encoding="utf-8")
