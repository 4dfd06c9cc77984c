"""What DISPLAY values mean."""

from __future__ import annotations

import pytest

from x11fwd.x11.display import (
    Address,
    AddressKind,
    MalformedDisplayError,
    parse_display,
    ssh_accepts,
    ssh_addresses,
    ssh_xauth_name,
)

LAUNCHD = "/private/tmp/com.apple.launchd.aB3x9/org.xquartz:0"


def abstract(path: str) -> Address:
    return Address(AddressKind.ABSTRACT, path=path)


def unix(path: str) -> Address:
    return Address(AddressKind.UNIX, path=path)


def tcp(host: str, port: int) -> Address:
    return Address(AddressKind.TCP, host=host, port=port)


@pytest.mark.parametrize(
    ("text", "protocol", "host", "number", "screen"),
    [
        (":0", "", "", 0, 0),
        (":0.1", "", "", 0, 1),
        (":99.0", "", "", 99, 0),
        (":007", "", "", 7, 0),
        ("unix:0", "", "unix", 0, 0),
        ("unix/:0", "unix", "", 0, 0),
        ("unix/somewhere:3", "unix", "somewhere", 3, 0),
        ("localhost:10.0", "", "localhost", 10, 0),
        ("host:1.2", "", "host", 1, 2),
        ("gpu-1.example.org:11", "", "gpu-1.example.org", 11, 0),
        ("192.0.2.7:0", "", "192.0.2.7", 0, 0),
        ("[::1]:0", "", "[::1]", 0, 0),
        ("[fe80::1%eth0]:2.1", "", "[fe80::1%eth0]", 2, 1),
        ("::1:0", "", "::1", 0, 0),
        ("tcp/host:0", "tcp", "host", 0, 0),
        ("inet/host:0", "inet", "host", 0, 0),
        ("inet6/host:0.3", "inet6", "host", 0, 3),
        ("host:59535", "", "host", 59535, 0),
        (":100000", "", "", 100000, 0),
    ],
)
def test_a_display_name_is_read_as_libxcb_reads_it(
    text: str, protocol: str, host: str, number: int, screen: int
) -> None:
    display = parse_display(text)
    assert (display.protocol, display.host, display.number, display.screen) == (
        protocol,
        host,
        number,
        screen,
    )
    assert not display.socket_path
    assert display.text == text


@pytest.mark.parametrize(
    ("text", "path", "screen"),
    [
        (LAUNCHD, LAUNCHD, 0),
        (f"{LAUNCHD}.1", LAUNCHD, 1),
        (f"unix:{LAUNCHD}", LAUNCHD, 0),
        (f"unix:{LAUNCHD}.2", LAUNCHD, 2),
        ("/tmp/x.sock", "/tmp/x.sock", 0),
        ("/tmp/x:0.0", "/tmp/x:0.0", 0),
        ("/tmp/x:0.01", "/tmp/x:0.01", 0),
    ],
)
def test_a_path_is_the_socket_itself_and_display_0(text: str, path: str, screen: int) -> None:
    display = parse_display(text)
    assert (display.socket_path, display.number, display.screen) == (path, 0, screen)
    assert display.is_unix
    assert display.is_local


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "it is empty"),
        ("foo", "no colon"),
        ("0", "no colon"),
        (":abc", "'abc' is no display number"),
        (":", "'' is no display number"),
        (":0.", "no display number"),
        (":0.x", "no display number"),
        (":0.1.2", "no display number"),
        (":.1", "no display number"),
        (": 0", "no display number"),
        (":+1", "no display number"),
        (":-1", "no display number"),
        (":0 ", "no display number"),
        (":0\n", "no display number"),
        (":٣", "no display number"),
        ("host:59536", "too large"),
        (":99999999999", "too large"),
        ("bogus/host:0", "'bogus' is no protocol"),
        ("a/b:0", "'a' is no protocol"),
        ("/some/folder/", "a directory"),
        ("/tmp/a\0b:0", "NUL"),
        ("unix:/some/folder/", "a directory"),
    ],
)
def test_a_malformed_display_is_refused_with_the_part_that_is_wrong(text: str, words: str) -> None:
    with pytest.raises(MalformedDisplayError) as caught:
        parse_display(text)
    assert words in caught.value.reason
    assert caught.value.text == text
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize(
    ("text", "shortest"),
    [
        (":0.0", ":0"),
        (":0.2", ":0.2"),
        ("localhost:10.0", "localhost:10"),
        ("tcp/host:1.2", "tcp/host:1.2"),
        ("[::1]:0", "[::1]:0"),
        ("unix:0", "unix:0"),
        (LAUNCHD, LAUNCHD),
        (f"unix:{LAUNCHD}.1", f"{LAUNCHD}.1"),
    ],
)
def test_a_display_is_printed_in_its_shortest_form_and_means_the_same(text: str, shortest: str) -> None:
    display = parse_display(text)
    assert str(display) == shortest
    again = parse_display(shortest)
    assert again.addresses(abstract=True) == display.addresses(abstract=True)
    assert again.screen == display.screen


X0 = "/tmp/.X11-unix/X0"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (":0", [abstract(X0), unix(X0), tcp("localhost", 6000)]),
        (":12.3", [abstract("/tmp/.X11-unix/X12"), unix("/tmp/.X11-unix/X12"), tcp("localhost", 6012)]),
        ("unix:0", [abstract(X0), unix(X0)]),
        ("unix/:0", [abstract(X0), unix(X0)]),
        ("unix/far:0", [abstract(X0), unix(X0)]),
        ("localhost:10.0", [tcp("localhost", 6010)]),
        ("host:1.2", [tcp("host", 6001)]),
        ("tcp/host:0", [tcp("host", 6000)]),
        ("[::1]:0", [tcp("::1", 6000)]),
        ("::1:0", [tcp("::1", 6000)]),
        ("tcp/:0", []),
        ("tcp/unix:0", []),
        (":70000", [abstract("/tmp/.X11-unix/X70000"), unix("/tmp/.X11-unix/X70000")]),
        (LAUNCHD, [unix(LAUNCHD)]),
        (f"{LAUNCHD}.1", [unix(f"{LAUNCHD}.1"), unix(LAUNCHD)]),
    ],
)
def test_addresses_come_in_the_order_in_which_libxcb_tries_them(text: str, expected: list[Address]) -> None:
    assert list(parse_display(text).addresses(abstract=True)) == expected


def test_without_abstract_sockets_the_file_comes_first() -> None:
    assert parse_display(":0").addresses(abstract=False) == (unix(X0), tcp("localhost", 6000))


@pytest.mark.parametrize(
    ("text", "is_unix", "is_local"),
    [
        (":0", True, True),
        ("unix:0", True, True),
        ("unix/host:0", True, True),
        ("localhost:10", False, True),
        ("LOCALHOST:10", False, True),
        ("127.0.0.1:10", False, True),
        ("[::1]:10", False, True),
        ("127.0.1.1:10", False, False),
        ("host:0", False, False),
    ],
)
def test_local_displays_are_told_from_others(text: str, is_unix: bool, is_local: bool) -> None:
    display = parse_display(text)
    assert (display.is_unix, display.is_local) == (is_unix, is_local)


@pytest.mark.parametrize(
    "text", [":0", "unix:0.1", "localhost:10.0", "my_host-1.example.org:2", "tcp/h:0", LAUNCHD]
)
def test_ssh_accepts_letters_digits_and_a_few_marks(text: str) -> None:
    assert ssh_accepts(text)


@pytest.mark.parametrize(
    "text", ["", "[::1]:0", "host%eth0:0", "a b:0", ":0;id", "$(id):0", "hôst:0", ":0\n", "a@b:0"]
)
def test_ssh_refuses_any_other_character(text: str) -> None:
    assert not ssh_accepts(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (":0", [abstract(X0), unix(X0)]),
        ("unix:0.1", [abstract(X0), unix(X0)]),
        ("localhost:10.0", [tcp("localhost", 6010)]),
        ("host:1", [tcp("host", 6001)]),
        ("[::1]:0", []),
        ("::1:0", []),
        ("tcp/host:0", []),
        ("unix/:0", []),
        (LAUNCHD, []),
    ],
)
def test_ssh_connects_to_fewer_forms_than_libxcb(text: str, expected: list[Address]) -> None:
    assert list(ssh_addresses(parse_display(text), abstract=True, launchd=False)) == expected


def test_ssh_connects_to_a_launchd_socket_where_it_was_built_for_it() -> None:
    assert ssh_addresses(parse_display(LAUNCHD), launchd=True) == (unix(LAUNCHD),)


@pytest.mark.parametrize(
    ("text", "asked"),
    [(":0", ":0"), ("localhost:10.0", "unix:10.0"), ("unix:0", "unix:0"), ("host:1", "host:1")],
)
def test_ssh_asks_xauth_for_localhost_as_unix(text: str, asked: str) -> None:
    assert ssh_xauth_name(text) == asked


@pytest.mark.parametrize(
    ("address", "words"),
    [(abstract(X0), f"@{X0}"), (unix(X0), X0), (tcp("host", 6001), "host port 6001")],
)
def test_an_address_is_shown_as_ss_and_people_write_it(address: Address, words: str) -> None:
    assert str(address) == words
