"""What programs over the bridge exchange with those of this machine, and requests of many megabytes."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.lab.bridge_pair import BridgePair
from tests.lab.runs import wait_for
from tests.lab.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import ExitStack

OWNER = """
import sys, tkinter
root = tkinter.Tk()
root.clipboard_append("".join(chr(0x20 + i * 7 % 90) for i in range(int(sys.argv[1]))))
root.update()
print("owned", flush=True)
root.mainloop()
"""
READER = """
import tkinter
text = tkinter.Tk().clipboard_get()
print(len(text), text == "".join(chr(0x20 + i * 7 % 90) for i in range(len(text))))
"""
# One PutImage of 3.6 MB, which needs BIG-REQUESTS, and one more in another place.
IMAGE = """
import tkinter
root = tkinter.Tk()
root.geometry("1250x740+5+5")
image = tkinter.PhotoImage(width=1230, height=730)
rows = [" ".join(f"#{x % 256:02x}{y % 256:02x}{x * y % 256:02x}" for x in range(1230)) for y in range(73)]
for y in range(0, 730, 73):
    image.put(" ".join("{" + row + "}" for row in rows), to=(0, y))
tkinter.Label(root, image=image).pack()
root.update()
print("drawn", flush=True)
root.mainloop()
"""


@pytest.fixture
def desk(lab: ExitStack) -> Iterator[tuple[Screen, BridgePair]]:
    with Screen(frame_buffer=True) as screen, BridgePair(screen) as pair:
        yield screen, pair


def start(script: str, env: Mapping[str, str], *words: str) -> subprocess.Popen[str]:
    """A program of this machine's own Python."""
    argv = ["/usr/bin/python3", "-c", script, *words]
    env = {"PATH": os.environ["PATH"], "HOME": "/", "LC_ALL": "C.UTF-8", **env}
    return subprocess.Popen(argv, env=env, stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("size", [40, 300_000, 2_000_000])
@pytest.mark.parametrize("owner_is_far", [True, False])
def test_the_clipboard_goes_both_ways_in_any_size(
    size: int, owner_is_far: bool, desk: tuple[Screen, BridgePair]
) -> None:
    screen, pair = desk
    near, far = screen.env(), pair.env()
    owner = start(OWNER, far if owner_is_far else near, str(size))
    try:
        assert owner.stdout
        assert owner.stdout.readline() == "owned\n"
        reader = start(READER, near if owner_is_far else far)
        assert reader.communicate(timeout=180)[0] == f"{size} True\n"
    finally:
        owner.kill()
        owner.communicate()


def test_images_of_several_megabytes_arrive_whole(lab: ExitStack) -> None:
    pictures = []
    for bridged in (False, True):
        with Screen(frame_buffer=True) as screen, BridgePair(screen) as pair:
            program = start(IMAGE, pair.env() if bridged else screen.env())
            try:
                assert program.stdout
                assert program.stdout.readline() == "drawn\n"
                pictures.append(settled(screen))
            finally:
                program.kill()
                program.communicate()
    assert len(set(pictures[0])) > 100
    assert pictures[0] == pictures[1]


def settled(screen: Screen) -> bytes:
    """The pixels once two looks half a second apart are alike."""

    def pixels() -> bytes:
        # XWDFile.h: the header begins with its size, and ends with the name of the display, number and all
        data = screen.frame_buffer.read_bytes()
        return data[int.from_bytes(data[:4], "big") :]

    looks = [b"", pixels()]

    def same() -> bool:
        looks.append(pixels())
        return looks[-1] == looks[-2]

    wait_for(same, limit=120, what="the end of drawing", every=0.5)
    return looks[-1]
