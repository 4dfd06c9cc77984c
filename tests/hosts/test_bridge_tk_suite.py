"""Tk's own test suite, from the source package tk8.6, directly on an X server and over the bridge to one.

`X11FWD_TK_SUITE=all` runs every file; without it those run that ask the X server most.
"""

from __future__ import annotations

import os
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.lab.bridge_pair import BridgePair
from tests.lab.hosts import ChrootHost
from tests.lab.screen import Screen
from tests.lab.x11_recorder import Recorder, unix_display

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import ExitStack

SOURCE = "/opt/tk"
FETCH = f"""set -eu
sed 's/^deb /deb-src /' /etc/apt/sources.list > /etc/apt/sources.list.d/sources.list
apt-get -qq update
mkdir -p {SOURCE}
cd {SOURCE}
apt-get -qq source --download-only tk8.6
tar -xf tk8.6_*.orig.tar.gz --strip-components=1 --wildcards '*/tests'
for side in direct bridged; do cp -R tests "/home/ana/$side"; done
chown -R ana: /home/ana
"""
# Not unixEmbed: there two programs wait for each other, and over the bridge a barrier of the one may
# be answered before the X server has what it sent; two or three of its tests of 56 then fail now and then.
FEW = (
    *("bind", "bitmap", "border", "button", "canvImg", "canvText", "clipboard", "color", "cursor", "embed"),
    *("focus", "font", "frame", "imgPhoto", "listbox", "place", "raise", "unixFont"),
    *("visual", "winfo", "window"),
)
ALL = os.environ.get("X11FWD_TK_SUITE") == "all"  # read here: tests see a clean environment
TRIES = 4  # select and unixSelect end now so, now so, directly as well
LIMIT = 240  # seconds for a file; the same for both


class Result(NamedTuple):
    """How a file ended: the line of totals, and the tests that failed."""

    totals: str
    failed: tuple[str, ...]


@pytest.fixture(scope="module")
def host(lab: ExitStack) -> Iterator[ChrootHost]:
    with ChrootHost("bookworm", "toolkits") as one:
        one.check(["sh", "-c", FETCH])
        yield one


def run(host: ChrootHost, side: str, display: str, path: str) -> Result:
    """One file in a wish of its own; each side has its own copy, as some files write beside themselves."""
    script = 'cd "$1" && exec timeout -k 5 "$2" wish8.6 all.tcl -geometry +0+0 -file "$3"'
    folder, _, name = f"/home/ana/{side}/{path}".rpartition("/")
    words = ["sh", "-c", script, "sh", folder, str(LIMIT), name]
    env = {"DISPLAY": display, "XAUTHORITY": f"/home/ana/{side}.authority", "LC_ALL": "C.UTF-8"}
    ran = host.run(words, user="ana", env=env, limit=LIMIT + 30)
    totals = re.search(r"\tTotal\t.*", ran.stdout)
    failed = sorted(set(re.findall(r"(?m)^==== (\S+) .*FAILED$", ran.stdout)))
    return Result(totals[0].strip() if totals else f"status {ran.rc}", tuple(failed))


def files(host: ChrootHost) -> list[str]:
    """Paths below the folder of tests; those for other systems are skipped by themselves."""
    folder = host.root / SOURCE[1:] / "tests"
    found = sorted(str(path.relative_to(folder)) for path in folder.rglob("*.test"))
    if ALL:
        return found
    return [path for path in found if path.removesuffix(".test") in FEW]


def test_each_file_ends_alike_directly_and_over_the_bridge(host: ChrootHost) -> None:
    different = []
    with (
        Screen() as near,
        Screen() as far,
        BridgePair(far) as pair,
        Recorder(unix_display(near.display), bytes.fromhex(near.cookie)) as direct,
        ThreadPoolExecutor(2) as pool,
    ):
        authority = Path(pair.authority).read_bytes()
        host.write("/home/ana/direct.authority", direct.authority, user="ana", mode=0o600)
        host.write("/home/ana/bridged.authority", authority, user="ana", mode=0o600)
        for path in files(host):
            sides = (("direct", direct.display), ("bridged", pair.display))
            for _ in range(TRIES):
                expected, got = pool.map(run, *zip(*((host, *side, path) for side in sides), strict=True))
                print(path, *expected, *(got if got != expected else ()), flush=True)
                if got == expected:
                    break
            else:
                different.append((path, expected, got))
    assert different == []
