"""Signs of life of the engine: often enough however long one of its naps takes."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.unit.engine.rig import SHELLS
from x11fwd.steps.engine import EngineLimits
from x11fwd.steps.script import engine_text

if TYPE_CHECKING:
    from pathlib import Path

# A nap is a twentieth of a second, a whole one where sleep knows no fractions, and as long as it takes to
# start two programs where a package manager keeps the disk busy.
_LONGEST_NAP = 1.0
_NAPS = 300
_COUNTED = f"""
x_nonce=mark naps=0
nap() {{
    echo nap
    naps=$((naps + 1))
    [ "$naps" -lt {_NAPS} ] || exit 0
}}
"""


def _naps_in_silence(shell: str, folder: Path, last: str) -> int:
    """The longest row of naps without a word, of a run that ends with `last`."""
    functions = engine_text().partition("\nengine=$0\n")[0]
    folder.joinpath("log").touch()
    script = f"{functions}\n{_COUNTED}\nrun={folder}\n{last}\n"
    words = [*SHELLS[shell], "-c", script]
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=120)
    lines = done.stdout.decode().splitlines()
    assert lines.count("nap") == _NAPS, done.stderr.decode()
    longest = row = 0
    for line in lines:
        row = row + 1 if line == "nap" else 0
        longest = max(longest, row)
    return longest


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    "last",
    [
        pytest.param('is_alive() { :; }\nexec 3<"$run/log"\nfollow', id="the work is quiet"),
        pytest.param("wait_until 60 false", id="something is waited for"),
    ],
)
def test_a_remote_with_long_naps_is_not_taken_for_a_dead_one(shell: str, last: str, tmp_path: Path) -> None:
    assert _naps_in_silence(shell, tmp_path, last) * _LONGEST_NAP < EngineLimits().silence
