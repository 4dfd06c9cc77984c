"""The display that the remote half opens: number, sockets, cookie, authority file, word for the session."""

import os
import shutil
import socket
import stat
import struct
import tempfile
from contextlib import contextmanager
from typing import Iterator, List, Tuple

from tests.unit.bridge.shared.anywhere import raises
from x11fwd.bridge.remote import door as door_module
from x11fwd.bridge.remote.door import Door
from x11fwd.bridge.shared.setup import Greeting

NAME = b"MIT-MAGIC-COOKIE-1"
TOKEN = "0123456789abcdef"


@contextmanager
def folder() -> Iterator[str]:
    """An empty one."""
    path = tempfile.mkdtemp()
    try:
        yield path
    finally:
        shutil.rmtree(path)


@contextmanager
def opened(path: str, preferred: int = 0) -> Iterator[Door]:
    door = Door(path, preferred)
    try:
        yield door
    finally:
        door.close()


def entries(path: str) -> List[Tuple[int, bytes, bytes, bytes, bytes]]:
    """Family, address, number, name and cookie of each entry (libXau, AuRead.c)."""
    with open(path, "rb") as file:
        data = file.read()
    found, at = [], 0
    while at < len(data):
        family = struct.unpack_from(">H", data, at)[0]
        at += 2
        parts = []
        for _ in range(4):
            size = struct.unpack_from(">H", data, at)[0]
            parts.append(data[at + 2 : at + 2 + size])
            at += 2 + size
        found.append((family, parts[0], parts[1], parts[2], parts[3]))
    return found


def cookie_of(door: Door) -> bytes:
    return entries(door.authority)[0][4]


def test_the_display_is_on_the_loopback_addresses_only_and_can_be_connected_to() -> None:
    with folder() as path, opened(path) as door:
        assert door.number >= 10
        assert door.display in ("localhost:%d.0" % door.number, "127.0.0.1:%d.0" % door.number)
        for one in door.sockets:
            assert one.getsockname()[:2] in (
                ("127.0.0.1", 6000 + door.number),
                ("::1", 6000 + door.number),
            )
            assert one.gettimeout() == 0
        with socket.create_connection(("127.0.0.1", 6000 + door.number), timeout=90):
            door.sockets[0].accept()[0].close()


def test_two_displays_have_two_numbers() -> None:
    with folder() as path, opened(path) as one, opened(path, one.number) as other:
        assert one.number != other.number
        assert one.authority != other.authority


def test_a_number_that_is_free_again_is_taken_again_and_its_file_has_the_same_path() -> None:
    with folder() as path:
        with opened(path) as door:
            number, authority = door.number, door.authority
            with socket.create_connection(("127.0.0.1", 6000 + number), timeout=90):
                # accepted and closed here first, so that the port has a connection in TIME_WAIT
                door.sockets[0].accept()[0].close()
        with opened(path, number) as again:
            assert (again.number, again.authority) == (number, authority)


def test_a_number_of_which_somebody_has_one_loopback_address_is_left_alone() -> None:
    for address, family in (("127.0.0.1", socket.AF_INET), ("::1", socket.AF_INET6)):
        with socket.socket(family, socket.SOCK_STREAM) as other:
            try:
                other.bind((address, 0))
            except OSError:
                continue  # no IPv6 here
            other.listen(1)
            number = other.getsockname()[1] - 6000
            with folder() as path, opened(path, number) as door:
                assert door.number != number


def test_a_number_that_an_x_server_has_as_a_unix_socket_is_left_alone() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        number = 20000 + os.getpid() % 20000
        server.bind("\0/tmp/.X11-unix/X%d" % number)
        with folder() as path:
            with opened(path, number) as door:
                assert door.number == number  # it does not listen
            server.listen(1)
            with opened(path, number) as door:
                assert door.number != number


def test_a_number_beyond_what_ports_can_be_is_not_tried() -> None:
    for number in (-1, 65536 - 6000, 1 << 40):
        with folder() as path, opened(path, number) as door:
            assert 10 <= door.number < 1000


def test_without_tcp_the_display_is_a_unix_socket() -> None:
    real = door_module._listen_tcp
    door_module._listen_tcp = lambda *given: None
    try:
        with folder() as path, opened(path) as door:
            assert door.display == ":%d.0" % door.number
            assert door.sockets[0].getsockname() == b"\0/tmp/.X11-unix/X%d" % door.number
            made = door._unix
            assert not made or stat.S_ISSOCK(os.stat(made).st_mode)
        assert not made or not os.path.exists(made)
    finally:
        door_module._listen_tcp = real


def test_the_name_of_the_display_leads_to_it() -> None:
    name = door_module._loopback_name
    both = [socket.AF_INET, socket.AF_INET6]
    with folder() as path:
        hosts = path + "/hosts"
        for text, families, expected in (
            ("127.0.0.1 localhost\n", both, "localhost"),
            ("127.0.0.1 gpu1 localhost.localdomain localhost # x\n", both, "localhost"),
            ("127.0.0.1 gpu1 # localhost\n", both, "127.0.0.1"),
            ("::1 localhost ip6-localhost\n", both, "localhost"),
            ("::1 localhost ip6-localhost\n", [socket.AF_INET], "127.0.0.1"),
            ("10.0.0.7 localhost\n", both, "127.0.0.1"),
            ("10.0.0.7 localhost\n", [socket.AF_INET6], "[::1]"),
            ("", both, "127.0.0.1"),
        ):
            with open(hosts, "w") as file:
                file.write(text)
            assert name(families, hosts) == expected, text
        assert name(both, path + "/none") == "127.0.0.1"


def test_the_authority_file_is_ours_alone_and_names_the_display_for_every_library() -> None:
    with folder() as path:
        with opened(path) as door:
            status = os.stat(door.authority)
            assert stat.S_IMODE(status.st_mode) == 0o600
            found = entries(door.authority)
            number = b"%d" % door.number
            assert [one[:4] for one in found] == [
                (256, os.fsencode(os.uname().nodename), number, NAME),
                (65535, b"", number, NAME),
            ]
            assert len({one[4] for one in found}) == 1
            assert len(found[0][4]) == 16
        assert os.listdir(path) == []


def test_the_authority_file_of_somebody_else_stays() -> None:
    with folder() as path:
        with opened(path) as door:
            os.unlink(door.authority)
            with open(door.authority, "w") as file:
                file.write("another")
            kept = door.authority
        assert os.path.exists(kept)


def test_nobody_has_the_number_before_the_authority_file_is_gone() -> None:
    """Or the file that the next one has just made would be removed instead."""
    taken = []
    names = vars(door_module)
    remove = names["remove_authority"]
    with folder() as path, opened(path) as door:

        def late(path: str, mark: "Tuple[int, int, int]") -> None:
            taken.append(door_module._listen_tcp(door.number))
            remove(path, mark)

        names["remove_authority"] = late
        try:
            door.close()
        finally:
            names["remove_authority"] = remove
    assert taken == [[]]  # somebody has it


def test_each_door_has_a_cookie_of_its_own_and_never_shows_it() -> None:
    with folder() as path, opened(path) as one, opened(path) as other:
        assert cookie_of(one) != cookie_of(other)
        assert cookie_of(one).hex() not in repr(one) + repr(vars(Door))


def test_the_cookie_opens_and_nothing_else_does() -> None:
    with folder() as path, opened(path) as door:
        good = cookie_of(door)
        assert door.admits(Greeting("<", 11, 0, NAME, good)) is None
        assert door.admits(Greeting(">", 11, 0, NAME, good)) is None
        for name, data, words in (
            (b"", b"", "no cookie"),
            (NAME, b"", "wrong cookie"),
            (NAME, good[:15], "wrong cookie"),
            (NAME, good + b"\0", "wrong cookie"),
            (NAME, bytes([good[0] ^ 1]) + good[1:], "wrong cookie"),
            (NAME, b"x" * 1024, "wrong cookie"),
            (b"XDM-AUTHORIZATION-1", good, "MIT-MAGIC-COOKIE-1 only"),
            (b"", good, "MIT-MAGIC-COOKIE-1 only"),
            (NAME + b"\0", good, "MIT-MAGIC-COOKIE-1 only"),
        ):
            refusal = door.admits(Greeting("<", 11, 0, name, data))
            assert refusal is not None
            assert words in refusal
            assert refusal.startswith("x11fwd: ")
            assert len(refusal) < 255  # the length field of the refusal
            assert good.hex() not in refusal


def test_the_word_for_the_session_waits_until_it_is_read() -> None:
    with folder() as path:
        with opened(path) as door:
            assert door.announce(TOKEN)
            assert stat.S_IMODE(os.stat(path + "/" + TOKEN).st_mode) == 0o600
            with open(path + "/" + TOKEN) as fifo:
                assert fifo.readline() == "ready %s %s\n" % (door.display, door.authority)
            os.unlink(path + "/" + TOKEN)
            assert door.announce("ab" * 16)  # the next session; its FIFO may be there already
            os.mkfifo(path + "/" + "cd" * 16)
            assert door.announce("cd" * 16)
        assert os.listdir(path) == []


def test_nothing_but_a_token_names_a_fifo_and_nothing_but_a_fifo_is_written_to() -> None:
    with folder() as path, opened(path) as door:
        for token in ("", "-", "../../../../../tmp/x", "0123456", "0" * 65, "g" * 16, "ABCDEF01", "\0" * 16):
            assert not door.announce(token), token
        with open(path + "/" + TOKEN, "w") as file:
            file.write("mine")
        assert not door.announce(TOKEN)
        with open(path + "/" + TOKEN) as file:
            assert file.read() == "mine"
        os.mkfifo(path + "/real")
        os.symlink(path + "/real", path + "/" + "ab" * 8)
        assert not door.announce("ab" * 8)


def test_a_folder_that_takes_no_file_is_an_error_and_frees_the_number() -> None:
    with folder() as path:
        with opened(path) as door:
            number = door.number
        with raises(OSError, "No such file"):
            Door(path + "/none", number)
        with opened(path, number) as door:
            assert door.number == number


def test_a_display_for_other_computers_has_the_name_by_which_they_call_this_one() -> None:
    with folder() as path, folder() as home, _home(home):
        door = Door(path, nodes=door_module.OWN_NAME)
        try:
            assert door.display == "%s:%d.0" % (os.uname().nodename, door.number)
            assert {one.getsockname()[0] for one in door.sockets} <= {"0.0.0.0", "::"}
            assert os.path.dirname(door.authority) == home + "/.cache/x11fwd"
            assert stat.S_IMODE(os.stat(door.authority).st_mode) == 0o600
            assert door.admits(Greeting("<", 11, 0, b"", b"")) is not None
        finally:
            door.close()
        assert not os.path.exists(door.authority)


def test_with_an_address_it_listens_there_only() -> None:
    with folder() as path, folder() as home, _home(home):
        door = Door(path, nodes="127.0.0.1")
        try:
            assert door.display == "127.0.0.1:%d.0" % door.number
            assert [one.getsockname()[0] for one in door.sockets] == ["127.0.0.1"]
            with open(door.authority, "rb") as file:  # FamilyInternet: what xauth lists for DISPLAY
                assert b"\0\0\0\4\x7f\0\0\1" in file.read()
        finally:
            door.close()


def test_an_address_that_is_not_this_computers_is_an_error() -> None:
    with folder() as path, folder() as home, _home(home), raises(OSError, "no TCP on this address"):
        Door(path, nodes="192.0.2.1")


def test_without_a_home_of_ours_the_authority_file_is_with_the_rest() -> None:
    with folder() as path, folder() as home, _home(home):
        os.mkdir(home + "/.cache")
        os.mkdir(home + "/.cache/x11fwd")
        os.chmod(home + "/.cache/x11fwd", 0o777)  # somebody else could put a file of his there
        door = Door(path, nodes="127.0.0.1")
        try:
            assert os.path.dirname(door.authority) == path
        finally:
            door.close()


@contextmanager
def _home(path: str) -> Iterator[None]:
    before = {name: os.environ.pop(name, None) for name in ("HOME", "XDG_CACHE_HOME")}
    os.environ["HOME"] = path
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
