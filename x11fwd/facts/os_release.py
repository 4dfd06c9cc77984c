"""os-release(5): the file that says which distribution this is; pure, imported by facts."""

from __future__ import annotations

import shlex

__all__ = ["parse_os_release"]


def parse_os_release(text: str) -> dict[str, str]:
    """Every assignment of the file; lines that are none are passed over, the last of several counts.

    os-release(5): shell-compatible assignments, quotes and backslashes as in a shell, no expansion.
    """
    found: dict[str, str] = {}
    for line in text.splitlines():
        name, equals, value = line.strip().partition("=")
        if not equals or not name.replace("_", "a").isalnum() or name.startswith("#"):
            continue
        try:
            found[name] = "".join(shlex.split(value))
        except ValueError:  # a quote that is never closed
            found[name] = value.strip("\"'")
    return found
