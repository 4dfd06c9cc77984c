"""Which line of ssh_config decides, from what ssh itself said it had read."""

from __future__ import annotations

from pathlib import Path

from x11fwd.facts.client_config import config_lines, option_lines
from x11fwd.facts.model import Unknown
from x11fwd.target import SshOptions

CLIENT = Path(__file__).parent / "captures/ssh-client"
HOME = "/home/lena/.ssh/"


def read(name: str) -> str | None:
    if name == "/etc/ssh/ssh_config":
        return "\n" * 18 + "Include /etc/ssh/ssh_config.d/*.conf\n\nHost *\n    SendEnv LANG LC_*\n"
    path = CLIENT / "config" / name.removeprefix(HOME).replace("/", "-")
    return path.read_text(encoding="utf-8") if name.startswith(HOME) and path.exists() else None


def test_every_line_about_x11_is_found_with_its_block_in_the_order_of_reading() -> None:
    lines = config_lines((CLIENT / "config.log").read_text(encoding="utf-8"), read)
    assert isinstance(lines, tuple)
    first = [line for line in lines[: len(lines) // 2] if line.keyword.startswith("forwardx11")]
    assert [(str(line).removeprefix(HOME), line.value, line.block, line.applies) for line in first] == [
        ("conf.d/site.conf:2", "yes", "Match host other", False),
        ("conf.d/site.conf:4", "no", "Host gpu* !gpu2", True),
        ("config:3", "no", "Host *", True),
        ("conf.d/inner.conf:1", "yes", "", False),
        ("config:10", "yes", "Host gpu1", True),
        ("config:11", "1h", "Host gpu1", True),
    ]


def test_a_match_exec_counts_as_ssh_says_and_not_as_it_looks() -> None:
    lines = config_lines((CLIENT / "config.log").read_text(encoding="utf-8"), read)
    assert isinstance(lines, tuple)
    named = [line for line in lines if line.keyword == "xauthlocation" and line.file == f"{HOME}config"]
    # the second pass is made with the address as host, and the same block does not match any more
    assert [(line.value, line.applies) for line in named] == [
        ("/opt/my xauth", True),
        ("/opt/my xauth", False),
    ]


def test_a_file_that_has_changed_meanwhile_is_unknown_and_not_guessed() -> None:
    log = "debug1: Reading configuration data /c\ndebug1: /c line 9: Applying options for gpu1\n"
    lines = config_lines(log, lambda _name: "Host gpu1\n  ForwardX11 yes\n")
    assert isinstance(lines, Unknown)
    assert "could not be followed" in lines.reason


def test_an_ssh_that_says_nothing_of_its_files_is_unknown() -> None:
    assert isinstance(config_lines("OpenSSH_5.3p1\n", read), Unknown)


def test_names_and_words_are_read_as_ssh_writes_and_reads_them() -> None:
    log = "debug1: Reading configuration data /home/j\\303\\266rg/.ssh/config\r\n"
    text = '  forwardx11="yes"\nForwardX11Trusted = no # not here\nSendEnv LANG  DISPLAY\n#ForwardX11 no\n'
    lines = config_lines(log, {"/home/jörg/.ssh/config": text}.get)
    assert isinstance(lines, tuple)
    assert [(line.line, line.keyword, line.value) for line in lines] == [
        (1, "forwardx11", "yes"),
        (2, "forwardx11trusted", "no"),
        (3, "sendenv", "LANG DISPLAY"),
    ]


def test_an_include_that_includes_itself_ends() -> None:
    once = "debug3: /c line 1: Including file /c depth 0\ndebug1: Reading configuration data /c\n"
    log = "debug1: Reading configuration data /c\n" + once * 40
    assert isinstance(config_lines(log, lambda _name: "Include /c\n"), Unknown)


def test_options_of_our_own_command_line_have_no_file() -> None:
    lines = option_lines(SshOptions(options=("ForwardX11=no", "Compression yes", "LogLevel QUIET")))
    assert [(str(line), line.keyword, line.value) for line in lines] == [
        ("the command line", "forwardx11", "no"),
        ("the command line", "loglevel", "QUIET"),
    ]
