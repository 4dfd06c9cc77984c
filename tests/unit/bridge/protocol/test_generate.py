"""The tables are what xcb-proto says, and xcb-proto says what everybody knows."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from x11fwd.bridge.protocol import generate
from x11fwd.bridge.protocol.names import NAMES
from x11fwd.bridge.shared import majors
from x11fwd.bridge.shared.tables import TABLES

PACKAGE = "1.15.2"  # of xcb-proto, from which the tables in the tree were made


def installed() -> str:
    """The package's version; tests are skipped without it (tests/lab/packages.txt names it)."""
    file = generate.FOLDER.parent / "pkgconfig" / "xcb-proto.pc"
    if not file.exists():
        pytest.skip("xcb-proto is not installed")
    return next(line.split()[1] for line in file.read_text().splitlines() if line.startswith("Version:"))


def test_the_generator_writes_what_is_in_the_tree() -> None:
    version = installed()
    extensions = generate.read_folder(generate.FOLDER)
    if version != PACKAGE:  # a newer one may know more, and never less
        newer = {one.name: one for one in extensions}
        for name, (known, replies, several, *_) in TABLES.items():
            assert newer[name].known & known == known
            assert newer[name].replies & known == replies
            assert newer[name].several & known == several
        return
    root = Path(generate.__file__).parent.parent
    assert generate.tables_text(extensions) == (root / "shared" / "tables.py").read_text()
    assert generate.names_text(extensions) == (root / "protocol" / "names.py").read_text()


def test_the_generator_writes_both_files(tmp_path: Path) -> None:
    installed()
    script = tmp_path / "protocol" / "generate.py"
    script.parent.mkdir()
    (tmp_path / "shared").mkdir()
    script.write_text(Path(generate.__file__).read_text())
    subprocess.run([sys.executable, script], check=True)
    assert (tmp_path / "shared" / "tables.py").stat().st_size > 1000
    assert (tmp_path / "protocol" / "names.py").stat().st_size > 1000


def test_a_folder_without_xml_names_the_package(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="package xcb-proto"):
        generate.read_folder(tmp_path)


def test_a_number_given_twice_is_refused(tmp_path: Path) -> None:
    twice = '<request name="A" opcode="1"/><request name="B" opcode="1"/>'
    (tmp_path / "x.xml").write_text(f'<xcb header="x" extension-xname="X">{twice}</xcb>')
    with pytest.raises(ValueError, match="two requests 1"):
        generate.read_folder(tmp_path)


def test_a_copy_of_a_generic_event_is_generic(tmp_path: Path) -> None:
    events = (
        '<event name="A" number="1" xge="true"/><eventcopy name="B" number="3" ref="A"/><event number="0"/>'
    )
    (tmp_path / "x.xml").write_text(f'<xcb header="x" extension-xname="X">{events}</xcb>')
    [one] = generate.read_folder(tmp_path)
    assert (one.generic, one.events) == (0b1010, 1)


NONE, ONE, SEVERAL, MAYBE = (
    majors.NO_REPLY,
    majors.ONE_REPLY,
    majors.SEVERAL_REPLIES,
    majors.MAYBE_REPLY,
)


@pytest.mark.parametrize(
    ("extension", "minor", "name", "replies"),
    [
        ("", 1, "CreateWindow", NONE),
        ("", 3, "GetWindowAttributes", ONE),
        ("", 14, "GetGeometry", ONE),
        ("", 16, "InternAtom", ONE),
        ("", 18, "ChangeProperty", NONE),
        ("", 20, "GetProperty", ONE),
        ("", 24, "ConvertSelection", NONE),
        ("", 26, "GrabPointer", ONE),
        ("", 28, "GrabButton", NONE),
        ("", 36, "GrabServer", NONE),
        ("", 43, "GetInputFocus", ONE),
        ("", 49, "ListFonts", ONE),
        ("", 50, "ListFontsWithInfo", SEVERAL),
        ("", 72, "PutImage", NONE),
        ("", 73, "GetImage", ONE),
        ("", 84, "AllocColor", ONE),
        ("", 98, "QueryExtension", ONE),
        ("", 116, "SetPointerMapping", ONE),
        ("", 118, "SetModifierMapping", ONE),
        ("", 119, "GetModifierMapping", ONE),
        ("", 127, "NoOperation", NONE),
        ("BIG-REQUESTS", 0, "Enable", ONE),
        ("XC-MISC", 1, "GetXIDRange", ONE),
        ("RENDER", 1, "QueryPictFormats", ONE),
        ("RENDER", 8, "Composite", NONE),
        ("XKEYBOARD", 0, "UseExtension", ONE),
        ("XKEYBOARD", 1, "SelectEvents", NONE),
        ("XKEYBOARD", 8, "GetMap", ONE),
        ("XKEYBOARD", 21, "PerClientFlags", ONE),
        ("RANDR", 8, "GetScreenResources", ONE),
        ("RANDR", 4, "SelectInput", NONE),
        ("XInputExtension", 46, "XISelectEvents", NONE),
        ("XInputExtension", 47, "XIQueryVersion", ONE),
        ("XFIXES", 0, "QueryVersion", ONE),
        ("XFIXES", 2, "SelectSelectionInput", NONE),
        ("SYNC", 7, "Await", NONE),
        ("GLX", 1, "Render", NONE),
        ("GLX", 17, "VendorPrivateWithReply", ONE),
        ("RECORD", 5, "EnableContext", SEVERAL),
        ("MIT-SHM", 6, "AttachFd", NONE),
    ],
)
def test_well_known_requests(extension: str, minor: int, name: str, replies: int) -> None:
    assert majors.replies_of(extension, minor) == replies
    assert names_of(extension)[minor] == name


def names_of(extension: str) -> dict[int, str]:
    found, number = {}, 0
    for word in NAMES[extension].split():
        at, equals, name = word.partition("=")
        number = int(at) if equals else number
        found[number] = name if equals else word
        number += 1
    return found


def test_names_and_tables_know_the_same_requests() -> None:
    assert NAMES.keys() == TABLES.keys()
    for extension, row in TABLES.items():
        assert sum(1 << minor for minor in names_of(extension)) == row[0]


def test_the_core_protocol_has_120_requests_and_its_codes() -> None:
    known, _, several, *_, events, errors, generic = TABLES[""]
    assert known.bit_count() == 120  # 1 to 119 and NoOperation
    assert (several, generic) == (1 << 50, 0)
    assert (events, errors) == (36, 18)  # GenericEvent is 35, Implementation is 17


def test_several_replies_are_replies_and_only_known_requests_have_them() -> None:
    for known, replies, several, sends, gets, _, _, _ in TABLES.values():
        assert several & replies == several
        assert (replies | sends) & ~known == 0
        assert gets & ~replies == 0


def test_file_descriptors_and_events_of_extensions() -> None:
    assert majors.carries_fds("MIT-SHM", 6)  # AttachFd
    assert majors.carries_fds("MIT-SHM", 7)  # CreateSegment, in its reply
    assert not majors.carries_fds("MIT-SHM", 1)
    assert majors.carries_fds("DRI3", 1)  # Open
    assert majors.carries_fds("DRI3", 2)  # PixmapFromBuffer
    assert majors.carries_fds("DRI3", 7)  # PixmapFromBuffers, a list of them
    assert majors.carries_fds("RANDR", 45)  # CreateLease
    assert not majors.carries_fds("NV-CONTROL", 1)
    with_fds = {name for name, row in TABLES.items() if row[3] | row[4]}
    assert {name for name in with_fds if not majors.needs_this_machine(name)} == {"RANDR"}
    assert TABLES["XKEYBOARD"][5] == 1  # one code, the kind is in the second byte
    assert TABLES["XInputExtension"][5] == 17
    assert TABLES["XInputExtension"][7] >> 6 & 1  # XI_Motion
    assert TABLES["Present"][7] == 0b1111
