"""ssh's command line read as ssh.c and BSDgetopt read it."""

from __future__ import annotations

import pytest

from x11fwd.pipeline.ssh.command_line import FLAGS, WITH_ARGUMENT, CommandLine


@pytest.mark.parametrize(
    ("words", "destination", "command"),
    [
        (["host"], "host", ()),
        (["-p", "22", "host", "ls", "-l"], "host", ("ls", "-l")),
        (["-p22", "host"], "host", ()),
        (["-Xp22", "host"], "host", ()),
        (["-Xp", "22", "host"], "host", ()),
        (["host", "-p", "22", "ls"], "host", ("ls",)),
        (["-T", "host", "-A", "-l", "ana", "ls", "-a"], "host", ("ls", "-a")),
        (["--", "host", "-p", "22"], "host", ("-p", "22")),
        (["-T", "--", "host", "ls"], "host", ("ls",)),
        (["host", "--", "-weird"], "host", ("-weird",)),
        (["-l", "--", "host", "-p", "22"], "host", ("-p", "22")),  # a quirk of ssh.c: any `--` before counts
        (["ssh://ana@host:22"], "ssh://ana@host:22", ()),
        (["-", "ls"], "-", ("ls",)),
        (["host", "-"], "host", ("-",)),
        (["host", ""], "host", ("",)),
    ],
)
def test_destination_and_command_are_found_where_ssh_finds_them(
    words: list[str], destination: str, command: tuple[str, ...]
) -> None:
    line = CommandLine(words)
    assert (line.destination, line.command, line.broken) == (destination, command, False)


@pytest.mark.parametrize(
    "words", [["-Z9", "host"], ["host", "-p"], ["-p"], ["--nope", "host"], ["-d", "host"]]
)
def test_what_ssh_would_complain_about_is_broken(words: list[str]) -> None:
    assert CommandLine(words).broken


@pytest.mark.parametrize("words", [[], ["-T"], ["-p", "22"], ["--"]])
def test_without_a_host_there_is_no_destination(words: list[str]) -> None:
    assert CommandLine(words).destination is None


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["-oForwardX11=no", "h"], "no"),
        (["-o", "ForwardX11 no", "h"], "no"),
        (["-o", 'forwardx11 = "No"', "h"], "no"),
        (["-To", "ForwardX11\tno", "h"], "no"),
        (["h", "-o", "ForwardX11=no"], "no"),
        (["-o", "ForwardX11=no", "-o", "ForwardX11=yes", "h"], "no"),
        (["h", "ls", "-o", "ForwardX11=no"], None),
        (["h"], None),
    ],
)
def test_a_setting_is_read_as_readconf_reads_it(words: list[str], expected: str | None) -> None:
    assert CommandLine(words).setting("forwardx11") == expected


def test_flags_and_values_are_kept_in_order() -> None:
    line = CommandLine(["-vAv", "-L", "1:h:2", "host", "-C", "-J", "a,b"])
    assert line.flags == "vAvC"
    assert line.values == [("L", "1:h:2"), ("J", "a,b")]
    assert line.has("J")
    assert line.has("xC")
    assert not line.has("XY")


def test_a_suggestion_keeps_what_leads_to_the_host() -> None:
    line = CommandLine(["-v", "-p", "2222", "-L", "1:h:2", "-i", "key", "host", "ls"])
    assert line.for_doctor() == ("-p", "2222", "-i", "key", "host")


def test_no_letter_is_both_a_flag_and_an_option_with_an_argument() -> None:
    assert not set(FLAGS) & set(WITH_ARGUMENT)
    assert len(set(FLAGS + WITH_ARGUMENT)) == len(FLAGS + WITH_ARGUMENT)


@pytest.mark.parametrize(
    ("typed", "destination", "port"),
    [
        ("gpu1", "gpu1", ""),
        ("ana@gpu1", "ana@gpu1", ""),
        ("ana@gpu1:2222", "ana@gpu1", "2222"),
        ("127.0.0.1:2222", "127.0.0.1", "2222"),
        ("ana@[::1]:2222", "ana@::1", "2222"),
        ("[::1]", "::1", ""),
        ("::1", "::1", ""),
        ("ana@fe80::1", "ana@fe80::1", ""),
        ("ssh://ana@gpu1:2222", "ssh://ana@gpu1:2222", ""),
        ("gpu1:", "gpu1:", ""),
        ("gpu1:x", "gpu1:x", ""),
    ],
)
def test_a_target_with_a_port_is_given_to_ssh_as_it_knows_it(typed: str, destination: str, port: str) -> None:
    option = ("-p", port) if port else ()
    line = CommandLine(["-v", typed, "-C", "echo", "a:1"])
    assert line.words == ("-v", *option, destination, "-C", "echo", "a:1")
    assert (line.destination, line.command) == (destination, ("echo", "a:1"))
    ended = CommandLine(["-4", "--", typed, "-C"])
    assert ended.words == ("-4", *option, "--", destination, "-C")
    assert ended.command == ("-C",)


def test_a_port_among_the_options_is_the_first_and_wins() -> None:
    assert CommandLine(["-p", "1", "gpu1:2"]).words == ("-p", "1", "-p", "2", "gpu1")
