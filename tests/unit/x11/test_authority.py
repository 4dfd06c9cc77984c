"""The .Xauthority file: every state it can be in, and whose cookie is chosen."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest

from x11fwd.x11.authority import (
    FAMILY_INTERNET,
    FAMILY_INTERNET6,
    FAMILY_LOCAL,
    FAMILY_WILD,
    Authority,
    AuthorityStatus,
    Cookie,
    Record,
    authority_path,
    dump_authority,
    find_cookie,
    find_record,
    local_record,
    lock_paths,
    parse_authority,
    read_authority,
    write_authority,
)
from x11fwd.x11.display import parse_display

HOST = "desk"
MIT = b"MIT-MAGIC-COOKIE-1"


def record(
    data: bytes,
    *,
    family: int = FAMILY_LOCAL,
    address: bytes = HOST.encode(),
    number: bytes = b"0",
    name: bytes = MIT,
) -> Record:
    return Record(family, address, number, name, data)


# Laid out by hand after the Xau manual page, so that reader and writer cannot agree on the same mistake.
BY_HAND = b"\x01\x00\x00\x04desk\x00\x010\x00\x12MIT-MAGIC-COOKIE-1\x00\x04\xde\xad\xbe\xef"


def test_a_record_is_read_from_its_bytes() -> None:
    found = parse_authority(BY_HAND)
    assert found == Authority(AuthorityStatus.OK, (record(b"\xde\xad\xbe\xef"),))


def test_a_record_is_written_to_the_same_bytes() -> None:
    assert dump_authority([local_record("desk", 0, b"\xde\xad\xbe\xef")]) == BY_HAND


def test_several_records_keep_their_order_and_unknown_families() -> None:
    records = (
        record(b"a" * 16),
        record(b"b" * 16, number=b"1"),
        record(b"c", family=254, address=b"\0\xff", name=b"SUN-DES-1"),
        record(b"", family=FAMILY_WILD, address=b"", number=b"", name=b""),
    )
    assert parse_authority(dump_authority(records)) == Authority(AuthorityStatus.OK, records)


def test_a_field_too_long_for_the_format_is_refused() -> None:
    with pytest.raises(ValueError, match="65535"):
        dump_authority([record(b"x" * 65536)])


def test_an_empty_file_is_empty_and_not_missing(tmp_path: Path) -> None:
    path = tmp_path / "auth"
    path.write_bytes(b"")
    assert read_authority(path) == Authority(AuthorityStatus.EMPTY)


def test_a_missing_file_is_missing(tmp_path: Path) -> None:
    assert read_authority(tmp_path / "none").status is AuthorityStatus.MISSING


def test_an_empty_xauthority_names_no_file() -> None:
    assert read_authority("").status is AuthorityStatus.MISSING


def test_a_path_through_a_file_is_missing(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    assert read_authority(tmp_path / "file" / "auth").status is AuthorityStatus.MISSING


def test_a_directory_is_not_a_file(tmp_path: Path) -> None:
    found = read_authority(tmp_path)
    assert found.status is AuthorityStatus.NOT_A_FILE
    assert found.reason == "a directory"


def test_a_named_pipe_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    assert read_authority(path).status is AuthorityStatus.NOT_A_FILE


def test_a_symbolic_link_that_leads_nowhere_is_missing_and_a_loop_is_unreadable(tmp_path: Path) -> None:
    (tmp_path / "dangling").symlink_to(tmp_path / "nothing")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert read_authority(tmp_path / "dangling").status is AuthorityStatus.MISSING
    loop = read_authority(tmp_path / "loop")
    assert loop.status is AuthorityStatus.UNREADABLE
    assert loop.reason


def test_a_file_that_may_not_be_read_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "auth"
    path.write_bytes(BY_HAND)

    def refuse(self: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(
        Path, "read_bytes", refuse
    )  # root may read everything, so the mode alone proves nothing
    assert read_authority(path) == Authority(AuthorityStatus.UNREADABLE, reason="Permission denied")


@pytest.mark.parametrize("length", range(1, len(BY_HAND)))
def test_a_file_cut_at_any_byte_is_truncated_at_record_1(length: int) -> None:
    assert parse_authority(BY_HAND[:length]) == Authority(AuthorityStatus.TRUNCATED, (), damaged=1)


@pytest.mark.parametrize("length", [1, 2, 3, 9, len(BY_HAND) - 1])
def test_a_truncated_file_still_gives_the_records_before_the_damage(length: int) -> None:
    found = parse_authority(BY_HAND + BY_HAND[:length])
    assert found.status is AuthorityStatus.TRUNCATED
    assert found.damaged == 2
    assert len(found.records) == 1
    assert find_cookie(found.records, parse_display(":0"), HOST) == Cookie(b"\xde\xad\xbe\xef")


def test_a_text_file_is_truncated_and_not_a_crash() -> None:
    assert parse_authority(b"this is not an authority file\n").status is AuthorityStatus.TRUNCATED


# Whose cookie


def test_of_two_displays_each_gets_its_own_cookie() -> None:
    records = [record(b"zero"), record(b"one", number=b"1")]
    assert find_cookie(records, parse_display(":0"), HOST) == Cookie(b"zero")
    assert find_cookie(records, parse_display(":1.1"), HOST) == Cookie(b"one")
    assert find_cookie(records, parse_display(":2"), HOST) is None


@pytest.mark.parametrize(
    "text", [":0", "unix:0", "unix/:0", "localhost:0", "127.0.0.1:0", "[::1]:0", "::1:0"]
)
def test_every_name_of_this_machine_finds_the_local_record(text: str) -> None:
    assert find_cookie([record(b"mine")], parse_display(text), HOST) == Cookie(b"mine")


def test_a_launchd_socket_has_the_cookie_of_display_0() -> None:
    display = parse_display("/private/tmp/com.apple.launchd.x/org.xquartz:0")
    assert find_cookie([record(b"one", number=b"1"), record(b"mine")], display, HOST) == Cookie(b"mine")


def test_a_stale_record_of_the_machine_s_old_name_does_not_match() -> None:
    records = [record(b"old", address=b"desk.old-network")]
    assert find_cookie(records, parse_display(":0"), HOST) is None


def test_the_first_of_two_records_for_one_display_wins() -> None:
    records = [record(b"first"), record(b"second")]
    assert find_cookie(records, parse_display(":0"), HOST) == Cookie(b"first")


def test_a_record_without_a_number_is_for_every_display() -> None:
    assert find_cookie([record(b"all", number=b"")], parse_display(":7"), HOST) == Cookie(b"all")


def test_a_number_is_compared_as_text() -> None:
    assert find_cookie([record(b"x", number=b"00")], parse_display(":0"), HOST) is None


def test_a_wild_record_matches_any_host() -> None:
    records = [record(b"wild", family=FAMILY_WILD, address=b"whatever")]
    assert find_cookie(records, parse_display(":0"), HOST) == Cookie(b"wild")
    assert find_cookie(records, parse_display("far:0"), HOST) == Cookie(b"wild")
    assert find_cookie(records, parse_display(":1"), HOST) is None


def test_a_wild_record_does_not_come_before_an_earlier_exact_one() -> None:
    records = [record(b"exact"), record(b"wild", family=FAMILY_WILD, address=b"")]
    assert find_cookie(records, parse_display(":0"), HOST) == Cookie(b"exact")
    assert find_cookie(records[::-1], parse_display(":0"), HOST) == Cookie(b"wild")


@pytest.mark.parametrize("name", [b"XDM-AUTHORIZATION-1", b"MIT-MAGIC-COOKIE", b"MIT-MAGIC-COOKIE-1\0", b""])
def test_a_record_of_another_method_is_passed_over(name: bytes) -> None:
    records = [record(b"other", name=name), record(b"mine")]
    assert find_cookie(records, parse_display(":0"), HOST) == Cookie(b"mine")


def test_a_local_record_does_not_serve_another_host() -> None:
    assert find_cookie([record(b"mine")], parse_display("far:0"), HOST) is None
    assert find_cookie([record(b"mine")], parse_display("far:0"), HOST, peer="192.0.2.9") is None


def test_an_internet_record_matches_the_address_of_the_host() -> None:
    address = socket.inet_pton(socket.AF_INET, "192.0.2.9")
    records = [record(b"far", family=FAMILY_INTERNET, address=address)]
    assert find_cookie(records, parse_display("far:0"), HOST, peer="192.0.2.9") == Cookie(b"far")
    assert find_cookie(records, parse_display("far:0"), HOST, peer="::ffff:192.0.2.9") == Cookie(b"far")
    assert find_cookie(records, parse_display("192.0.2.9:0"), HOST) == Cookie(b"far")
    assert find_cookie(records, parse_display("192.0.2.8:0"), HOST) is None
    assert find_cookie(records, parse_display(":0"), HOST) is None


def test_an_internet6_record_matches_the_address_of_the_host() -> None:
    address = socket.inet_pton(socket.AF_INET6, "2001:db8::9")
    records = [record(b"far", family=FAMILY_INTERNET6, address=address)]
    assert find_cookie(records, parse_display("[2001:db8::9]:0"), HOST) == Cookie(b"far")
    assert find_cookie(records, parse_display("far:0"), HOST, peer="2001:db8::9") == Cookie(b"far")
    assert find_cookie(records, parse_display("far:0"), HOST, peer="2001:db8::8") is None


def test_a_record_of_the_wrong_family_with_the_right_address_does_not_match() -> None:
    assert find_cookie([record(b"x", family=FAMILY_INTERNET)], parse_display(":0"), HOST) is None


def test_a_host_name_that_resolves_to_loopback_is_local() -> None:
    assert find_cookie([record(b"mine")], parse_display("myself:0"), HOST, peer="127.0.0.1") == Cookie(
        b"mine"
    )
    assert find_cookie([record(b"mine")], parse_display("myself:0"), HOST, peer="::1") == Cookie(b"mine")


def test_debian_s_127_0_1_1_is_not_loopback_to_libxcb() -> None:
    assert find_cookie([record(b"mine")], parse_display("desk:0"), HOST, peer="127.0.1.1") is None


def test_find_record_gives_the_record_itself() -> None:
    mine = record(b"mine")
    assert find_record([mine], parse_display(":0"), HOST) is mine
    assert find_record([], parse_display(":0"), HOST) is None


# Secrets and files


def test_no_repr_shows_a_cookie() -> None:
    secret = bytes.fromhex("0123456789abcdef" * 2)
    found = parse_authority(dump_authority([local_record(HOST, 0, secret)]))
    for value in (Cookie(secret), found.records[0], found, found.records[0].cookie):
        assert "0123456789abcdef" not in repr(value)
        assert repr(secret)[2:-1] not in repr(value)


def test_a_cookie_is_read_from_hexadecimal_digits() -> None:
    assert Cookie.from_hex("00ffAB") == Cookie(b"\0\xff\xab")


@pytest.mark.parametrize("text", ["abc", "zz", "12 3"])
def test_a_bad_hexadecimal_cookie_is_refused_without_being_quoted(text: str) -> None:
    with pytest.raises(ValueError, match="hexadecimal") as caught:
        Cookie.from_hex(text)
    assert text not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("one", "shown"),
    [
        (record(b""), "desk/unix:0"),
        (record(b"", family=FAMILY_INTERNET, address=b"\xc0\0\x02\x09", number=b"10"), "192.0.2.9:10"),
        (record(b"", family=FAMILY_INTERNET6, address=b"\0" * 15 + b"\1"), "[::1]:0"),
        (record(b"", family=FAMILY_WILD, address=b"desk"), "#ffff#6465736b#:0"),
        (record(b"", family=FAMILY_INTERNET, address=b"\1"), "#0000#01#:0"),
    ],
)
def test_a_record_is_shown_as_xauth_shows_it(one: Record, shown: str) -> None:
    assert one.display == shown


def test_a_file_is_written_for_its_owner_only_and_in_one_move(tmp_path: Path) -> None:
    path = tmp_path / "auth"
    path.write_bytes(b"old")
    write_authority(path, [local_record(HOST, 3, b"k" * 16)])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert find_cookie(read_authority(path).records, parse_display(":3"), HOST) == Cookie(b"k" * 16)
    assert [one.name for one in tmp_path.iterdir()] == ["auth"]


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "auth"
    path.write_bytes(b"old")
    with pytest.raises(ValueError):
        write_authority(path, [record(b"x" * 70000)])
    assert path.read_bytes() == b"old"
    assert [one.name for one in tmp_path.iterdir()] == ["auth"]


@pytest.mark.parametrize(
    ("xauthority", "home", "path"),
    [
        (None, "/home/ana", "/home/ana/.Xauthority"),
        (None, "/", "/.Xauthority"),
        ("/run/user/1/auth", "/home/ana", "/run/user/1/auth"),
        ("", "/home/ana", ""),
        (None, None, None),
        (None, "", None),
    ],
)
def test_the_file_is_named_by_xauthority_and_else_lies_in_home(
    xauthority: str | None, home: str | None, path: str | None
) -> None:
    assert authority_path(xauthority, home) == path


def test_the_lock_files_lie_beside_the_file() -> None:
    assert lock_paths("/h/.Xauthority") == (Path("/h/.Xauthority-c"), Path("/h/.Xauthority-l"))
