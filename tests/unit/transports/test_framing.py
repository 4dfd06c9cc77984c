"""Quoting and framing, tried in every login shell that is installed here."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from x11fwd.errors import ProbeError
from x11fwd.transports.framing import Collector, Frame, quote

SHELLS = [shell for shell in ("bash", "dash", "zsh", "fish", "csh", "tcsh", "ksh") if shutil.which(shell)]
EVERY_CHARACTER = "".join(map(chr, range(1, 128)))
EVERY_BYTE = bytes(range(1, 256)).decode("utf-8", "surrogateescape")
AWKWARD = [
    "plain",
    "",
    "two words",
    "it's",
    "back\\slash",
    "\\'",
    "\\\\",
    "trailing\\",
    "new\nline",
    "ends in newline\n",
    "bang!bang",
    "$HOME `id` $(id)",
    "%d %s %%",
    "~root *",
    "ümläut",
    '"',
    "\\0101",
    "\r\t\x1b[0m",
    EVERY_CHARACTER,
    EVERY_BYTE,
]


def through(shell: str, command: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """What sshd does: the login shell with -c (session.c, do_child)."""
    return subprocess.run([shell, "-c", command], input=stdin, capture_output=True, timeout=120, check=False)


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("word", AWKWARD, ids=range(len(AWKWARD)))
def test_every_login_shell_hands_an_argument_over_unchanged(shell: str, word: str) -> None:
    frame = Frame.random()
    done = through(shell, frame.command(["printf", "<%s>", word]))
    framed = frame.cut(done.stdout, done.stderr)
    assert framed.stdout == b"<" + word.encode("utf-8", "surrogateescape") + b">"
    assert (framed.exit_status, framed.stderr) == (0, b"")


@pytest.mark.parametrize("shell", SHELLS)
def test_status_and_both_streams_come_back_from_every_login_shell(shell: str) -> None:
    frame = Frame.random()
    done = through(shell, frame.command(["sh", "-c", "echo out; echo err >&2; exit 255"]))
    framed = frame.cut(done.stdout, done.stderr)
    assert (framed.exit_status, framed.stdout, framed.stderr) == (255, b"out\n", b"err\n")


def test_a_command_killed_by_a_signal_reads_128_plus_its_number() -> None:
    frame = Frame.random()
    done = through("sh", frame.command(["sh", "-c", "kill -9 $$"]))
    assert frame.cut(done.stdout, done.stderr).exit_status == 137


def test_a_missing_program_is_127() -> None:
    frame = Frame.random()
    done = through("sh", frame.command(["no-such-program"]))
    assert frame.cut(done.stdout, done.stderr).exit_status == 127


@pytest.mark.parametrize("word", ["exit", "exec"])
def test_a_builtin_as_the_first_word_does_not_lose_the_end_mark(word: str) -> None:
    frame = Frame.random()
    done = through("sh", frame.command([word, "3"] if word == "exit" else [word, "sh", "-c", "exit 3"]))
    assert frame.cut(done.stdout, done.stderr).exit_status == 3


def test_a_first_word_with_an_equals_sign_is_a_program_not_an_assignment() -> None:
    frame = Frame.random()
    done = through("sh", frame.command(["A=b", "true"]))
    assert frame.cut(done.stdout, done.stderr).exit_status == 127


def test_standard_input_reaches_the_command_whole() -> None:
    frame = Frame.random()
    data = bytes(range(256)) * 100
    done = through("sh", frame.command(["cat"]), data)
    assert frame.cut(done.stdout, done.stderr).stdout == data


def test_the_locale_is_c() -> None:
    frame = Frame.random()
    done = through("sh", frame.command(["sh", "-c", "echo $LC_ALL"]))
    assert frame.cut(done.stdout, done.stderr).stdout == b"C\n"


def test_what_login_files_print_before_and_after_is_not_in_the_output() -> None:
    frame = Frame.random()
    done = through("sh", frame.command(["echo", "wanted"]))
    noisy = frame.cut(
        b"Welcome!\x00\xff no newline" + done.stdout + b"bye\n", b"stty: no tty\n" + done.stderr + b"logout\n"
    )
    assert (noisy.stdout, noisy.stderr) == (b"wanted\n", b"")
    assert noisy.noise == b"Welcome!\x00\xff no newline"


def test_a_shell_that_echoes_the_command_does_not_confuse_the_marks() -> None:
    frame = Frame.random()
    command = frame.command(["echo", "wanted"])
    done = through("sh", command)
    assert frame.cut(command.encode() + b"\n" + done.stdout, done.stderr).stdout == b"wanted\n"


def test_a_swallowed_command_is_named_with_what_came_instead() -> None:
    with pytest.raises(ProbeError, match="This account is currently not available"):
        Frame.random().cut(b"This account is currently not available.\n", b"")


def test_a_shell_that_died_half_way_is_not_read_as_an_answer() -> None:
    frame = Frame.random()
    done = through("sh", frame.command(["sh", "-c", "echo half; kill -9 $PPID"]))
    with pytest.raises(ProbeError, match="ended before"):
        frame.cut(done.stdout.replace(frame.end, b""), b"")


def test_output_that_looks_like_an_older_frame_stays_in() -> None:
    frame, other = Frame.random(), Frame.random()
    text = (other.begin + other.end + b"0:").decode()
    done = through("sh", frame.command(["printf", "%s", text]))
    assert frame.cut(done.stdout, done.stderr).stdout == text.encode()


@pytest.mark.parametrize("size", [1, 7, 64, 10_000])
def test_the_end_is_seen_while_a_background_process_holds_the_streams(size: int) -> None:
    frame = Frame.random()
    done = through("sh", frame.command(["sh", "-c", "echo out; echo err >&2"]))
    collector = Collector(frame)
    for at in range(0, len(done.stdout), size):
        assert not collector.complete
        collector.add_stdout(done.stdout[at : at + size])
    for at in range(0, len(done.stderr), size):
        assert not collector.complete
        collector.add_stderr(done.stderr[at : at + size])
    assert collector.complete
    assert collector.result() == frame.cut(done.stdout, done.stderr)
    collector.add_stdout(b"bye")
    assert collector.result().stdout == b"out\n"


def test_the_outer_command_is_one_printable_line_without_a_bang() -> None:
    command = Frame.random().command(["printf", EVERY_BYTE])
    assert command.isascii()
    assert command.isprintable()
    assert "!" not in command


def test_a_nul_byte_is_refused() -> None:
    with pytest.raises(ValueError, match="NUL"):
        quote("a\0b")


def test_a_command_longer_than_one_argument_may_be_is_refused_here() -> None:
    with pytest.raises(ValueError, match="standard input"):
        Frame.random().command(["echo", "x" * 200_000])


@pytest.mark.parametrize("shell", SHELLS)
def test_a_stream_starts_after_the_begin_mark_in_every_login_shell(shell: str) -> None:
    frame = Frame.random()
    done = through(shell, frame.stream_command(["cat"]), b"\x00\xffecho\n")
    assert frame.after_begin(b"motd" + done.stdout) == b"\x00\xffecho\n"
    assert frame.after_begin(b"motd") is None
