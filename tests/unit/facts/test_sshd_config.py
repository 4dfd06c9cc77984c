"""sshd's files as sshd reads them; where there is a real sshd, it is asked the same question."""

from __future__ import annotations

import random
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from x11fwd.facts.sshd_config import Connection, decide, include_patterns, parse_sshd_t, read_lines

if TYPE_CHECKING:
    from pathlib import Path

MAIN = "/etc/ssh/sshd_config"
INCLUDE = "Include /etc/ssh/sshd_config.d/*.conf\n"
ANA = Connection("ana", ("ana", "sudo"), "192.0.2.9", "192.0.2.9", "192.0.2.1", 22)


def winner(files: dict[str, str], connection: Connection = ANA, keyword: str = "x11forwarding") -> str | None:
    line = decide(keyword, list(read_lines(MAIN, files)), connection).line
    return f"{line} {line.value}" if line else None


def drop_in(name: str) -> str:
    return f"/etc/ssh/sshd_config.d/{name}"


def test_nothing_set_is_sshds_own_default() -> None:
    assert winner({MAIN: "# X11Forwarding yes\n\nUsePAM yes\n"}) is None


def test_the_first_line_wins_in_one_file() -> None:
    assert winner({MAIN: "x11forwarding no\nX11Forwarding yes\n"}) == f"{MAIN}:1 no"


def test_drop_ins_are_read_in_lexical_order_where_the_include_stands() -> None:
    files = {
        MAIN: f"{INCLUDE}X11Forwarding yes\n",
        drop_in("99-yes.conf"): "X11Forwarding yes\n",
        drop_in("50-cloud-init.conf"): "\n\nX11Forwarding no\n",
    }
    assert winner(files) == f"{drop_in('50-cloud-init.conf')}:3 no"


def test_an_include_at_the_end_comes_too_late() -> None:
    assert (
        winner({MAIN: f"X11Forwarding no\n{INCLUDE}", drop_in("00.conf"): "X11Forwarding yes\n"})
        == f"{MAIN}:1 no"
    )


def test_a_star_does_not_reach_into_a_folder() -> None:
    assert winner({MAIN: INCLUDE, drop_in("a/b.conf"): "X11Forwarding yes\n"}) is None


def test_what_the_remotes_shell_made_of_a_pattern_beats_our_own_guess() -> None:
    files = {MAIN: INCLUDE, drop_in("b.conf"): "X11Forwarding no\n", drop_in("a.conf"): "X11Forwarding yes\n"}
    globs = {"/etc/ssh/sshd_config.d/*.conf": (drop_in("b.conf"),)}
    lines = list(read_lines(MAIN, files, globs))
    assert [str(line) for line in lines] == [f"{drop_in('b.conf')}:1"]


def test_a_relative_include_starts_at_etc_ssh_and_quotes_are_taken_off() -> None:
    files = {MAIN: 'Include "sshd_config.d/x.conf"  # ours\n', drop_in("x.conf"): "X11Forwarding no # why\n"}
    assert winner(files) == f"{drop_in('x.conf')}:1 no"


def test_includes_that_turn_in_circles_come_to_an_end() -> None:
    files = {MAIN: f"{INCLUDE}X11Forwarding no\n", drop_in("x.conf"): INCLUDE}
    assert winner(files) == f"{MAIN}:2 no"


@pytest.mark.parametrize(
    ("criteria", "holds"),
    [
        ("User ana", True),
        ("User ben", False),
        ("User a?a,!ben", True),
        ("User *,!ana", False),
        ("Group sudo", True),
        ("Group sftponly", False),
        ("Address 192.0.2.0/24", True),
        ("Address 10.0.0.0/8", False),
        ("Address 192.0.2.*", True),
        ("Address *,!192.0.2.9", False),
        ("LocalAddress 192.0.2.1 LocalPort 22", True),
        ("LocalPort 2222", False),
        ("all", True),
        ("user ANA", False),
        ("USER ana address 192.0.2.0/25", True),
        ("User ana Address 198.51.100.0/24", False),
        ("User=ana", True),
        ("invalid-user", False),
    ],
)
def test_a_match_block_counts_where_its_criteria_hold(criteria: str, holds: bool) -> None:
    text = f"X11Forwarding yes\nMatch {criteria}\n    X11Forwarding no\n"
    assert winner({MAIN: text}) == (f"{MAIN}:3 no" if holds else f"{MAIN}:1 yes")


def test_the_first_match_block_that_holds_wins_over_later_ones() -> None:
    text = "Match User ana\nX11Forwarding yes\nMatch Address *\nX11Forwarding no\n"
    assert winner({MAIN: text}) == f"{MAIN}:2 yes"


def test_a_line_after_a_match_block_belongs_to_it() -> None:
    text = "Match User git\nForceCommand true\nX11Forwarding yes\n"
    decision = decide("X11Forwarding", list(read_lines(MAIN, {MAIN: text})), ANA)
    assert decision.line is None
    assert [str(line) for line in decision.overruled] == [f"{MAIN}:3"]
    assert decision.overruled[0].matches == ("User git",)


def test_match_all_ends_a_block_for_everybody() -> None:
    text = "Match User git\nX11Forwarding no\nMatch all\nX11Forwarding yes\n"
    assert winner({MAIN: text}) == f"{MAIN}:4 yes"


def test_a_file_included_inside_a_match_block_is_scoped_by_it() -> None:
    files = {MAIN: f"Match User ben\n{INCLUDE}", drop_in("x.conf"): "X11Forwarding yes\n"}
    assert winner(files) is None
    ben = Connection("ben", ("ben",), "192.0.2.9", "192.0.2.9", "192.0.2.1", 22)
    assert winner(files, ben) == f"{drop_in('x.conf')}:1 yes"


def test_a_match_inside_an_included_file_ends_with_the_file() -> None:
    files = {MAIN: f"{INCLUDE}X11Forwarding yes\n", drop_in("x.conf"): "Match User ben\nX11Forwarding no\n"}
    assert winner(files) == f"{MAIN}:2 yes"


@pytest.mark.parametrize(
    "criteria", ["Group sudo", "Host *.example.org", "Exec true", "RDomain x", "Version *"]
)
def test_what_cannot_be_decided_is_a_doubt_and_no_guess(criteria: str) -> None:
    unknown = Connection("ana", None, None, "192.0.2.9")
    text = f"X11Forwarding yes\nMatch {criteria}\nX11Forwarding no\n"
    decision = decide("x11forwarding", list(read_lines(MAIN, {MAIN: text})), unknown)
    assert not decision.certain
    assert [str(line) for line in decision.doubts] == [f"{MAIN}:3"]
    assert str(decision.line) == f"{MAIN}:1"


def test_a_doubt_about_the_same_value_is_none() -> None:
    text = "X11Forwarding no\nMatch Group sudo\nX11Forwarding NO\n"
    decision = decide("x11forwarding", list(read_lines(MAIN, {MAIN: text})), Connection("ana", None))
    assert decision.certain


@pytest.mark.parametrize(
    ("text", "patterns"),
    [
        (INCLUDE, ("/etc/ssh/sshd_config.d/*.conf",)),
        (f"UsePAM yes\n{INCLUDE}Include extra/*.conf b\n", None),
        (f"X11Forwarding no\n{INCLUDE}", ()),
        (f"Match User x\n{INCLUDE}", ()),
        ("", ()),
    ],
)
def test_only_an_include_before_the_main_files_own_line_helps(
    text: str, patterns: tuple[str, ...] | None
) -> None:
    expected = (
        ("/etc/ssh/sshd_config.d/*.conf", "/etc/ssh/extra/*.conf", "/etc/ssh/b")
        if patterns is None
        else patterns
    )
    assert include_patterns(MAIN, {MAIN: text}) == expected


def test_what_sshd_t_prints_is_read_by_keyword() -> None:
    found = parse_sshd_t(
        "port 22\nport 2222\nx11forwarding yes\nbanner none\nacceptenv LANG\nacceptenv LC_*\n"
    )
    assert found == {"port": "22\n2222", "x11forwarding": "yes", "banner": "none", "acceptenv": "LANG\nLC_*"}


def sshd() -> str | None:
    return shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/usr/bin")


@pytest.mark.skipif(sshd() is None, reason="needs sshd: apt install openssh-server")
def test_a_real_sshd_agrees_on_a_hundred_configurations(tmp_path: Path) -> None:
    """`sshd -T -C` with a throw-away key, as the probe asks it without root (F71)."""
    binary = sshd()
    assert binary is not None
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    chooser = random.Random(3)
    folder = tmp_path / "d"
    folder.mkdir()
    pieces = [
        "X11Forwarding yes\n",
        "X11Forwarding no\n",
        "X11Forwarding=no\n",
        "\tx11forwarding   yes # here\n",
        "#X11Forwarding no\n",
        "Match User ana\n",
        "Match User ben\n",
        "Match Address 192.0.2.0/24\n",
        "Match User a*,!ana\n",
        "Match all\n",
        f"Include {folder}/*.conf\n",
        f"Include {folder}/b.conf\n",
        "MaxSessions 3\n",
    ]
    tried = 0
    while tried < 100:
        files = {str(tmp_path / "main"): "", str(folder / "a.conf"): "", str(folder / "b.conf"): ""}
        for name in files:
            count = chooser.randrange(7 if name.endswith("main") else 4)
            allowed = pieces if name.endswith("main") else [one for one in pieces if "Include" not in one]
            files[name] = "".join(chooser.choice(allowed) for _ in range(count))
        for name, text in files.items():
            (tmp_path / name).write_text(text)
        main = str(tmp_path / "main")
        answer = subprocess.run(
            [
                binary,
                "-T",
                "-f",
                main,
                "-h",
                str(key),
                "-C",
                "user=ana,host=192.0.2.9,addr=192.0.2.9,laddr=192.0.2.1,lport=22",
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        if answer.returncode:
            continue  # sshd refuses some of them, such as `Match all` combined
        tried += 1
        decision = decide("x11forwarding", list(read_lines(main, files)), ANA)
        ours = decision.line.value.lower() if decision.line else "no"
        assert decision.certain
        assert ours == parse_sshd_t(answer.stdout)["x11forwarding"], files
