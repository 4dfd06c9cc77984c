"""This machine as a transport, and what ssh says a target means."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from x11fwd.errors import ChangeError, ConnectError, ConnectionLost, UsageError
from x11fwd.target import SshOptions, parse_target
from x11fwd.transports.base import CommandResult
from x11fwd.transports.fake import Answer, FakeTransport
from x11fwd.transports.local import LocalTransport, resolve

if TYPE_CHECKING:
    from x11fwd.transports.base import Transport


def test_it_is_a_transport() -> None:
    transport: Transport = LocalTransport()
    with transport as opened:
        assert opened.name == "local"


def test_a_status_is_data_and_streams_are_kept_apart() -> None:
    answer = LocalTransport().run(["sh", "-c", "cat; echo err >&2; exit 7"], stdin=b"\0\xff")
    assert answer == CommandResult(7, b"\0\xff", b"err\n")


def test_a_signal_reads_128_plus_its_number() -> None:
    assert LocalTransport().run(["sh", "-c", "kill -TERM $$"]).exit_status == 143


def test_a_missing_program_is_127_and_one_without_permission_126(tmp_path: Path) -> None:
    file = tmp_path / "data"
    file.write_text("x")
    assert LocalTransport().run(["no-such-program"]).exit_status == 127
    assert LocalTransport().run([str(file)]).exit_status == 126


def test_the_locale_is_c() -> None:
    assert LocalTransport().run(["sh", "-c", "echo $LC_ALL"]).text == "C\n"


def test_a_program_that_does_not_end_is_killed_with_its_children(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = tmp_path / "pid"
    began = time.monotonic()
    communicate = subprocess.Popen.communicate

    def later(process: subprocess.Popen[bytes], data: bytes, limit: float) -> tuple[bytes, bytes]:
        """Its time begins once the grandchild is there, however late a busy machine starts that."""
        while not (mark.exists() and mark.read_text().endswith("\n")):
            assert time.monotonic() - began < 90
            time.sleep(0.01)
        return communicate(process, data, limit)

    monkeypatch.setattr(subprocess.Popen, "communicate", later)
    with pytest.raises(ConnectionLost, match="had not ended"):
        LocalTransport().run(["sh", "-c", f"sleep 300 & echo $! > {mark}; wait"], timeout=0.4)
    pid = int(mark.read_text())
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return
        if state == "Z":
            return
        time.sleep(0.01)
    pytest.fail("the grandchild is still there")


def test_a_stream_goes_both_ways_and_ends() -> None:
    stream = LocalTransport().stream(["sh", "-c", "cat; echo bye >&2; exit 3"])
    stream.write(b"one")
    assert stream.read(100, 90) == b"one"
    with pytest.raises(TimeoutError):
        stream.read(100, 0.05)
    stream.close_write()
    assert stream.read(100, 90) == b""
    assert stream.wait(60) == 3
    assert stream.stderr() == b"bye\n"
    stream.close()


def test_a_file_is_written_whole_with_its_mode(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"old")
    LocalTransport().put(str(file), b"new\0", mode=0o640)
    assert file.read_bytes() == b"new\0"
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert list(tmp_path.iterdir()) == [file]


def test_a_file_that_cannot_be_written_is_a_refused_change(tmp_path: Path) -> None:
    with pytest.raises(ChangeError, match="No such file"):
        LocalTransport().put(str(tmp_path / "none" / "file"), b"x")


def test_ssh_itself_says_what_an_alias_means(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text("Host gpu\n  HostName gpu1.example.org\n  User ana\n  Port 2222\n  ProxyJump gate\n")
    found = resolve(parse_target("gpu", SshOptions(config_file=str(config))), LocalTransport())
    assert (found.hostname, found.user, found.port, found.proxy_jump) == (
        "gpu1.example.org",
        "ana",
        2222,
        "gate",
    )


def test_options_beside_the_target_win_over_the_target_as_in_ssh() -> None:
    options = SshOptions(config_file="none", port=1, login="bob")
    found = resolve(parse_target("ana@h:2", options), LocalTransport())
    assert (found.user, found.port) == ("bob", 1)


def test_an_option_that_ssh_refuses_is_a_usage_error_in_its_words() -> None:
    with pytest.raises(UsageError, match=r"(?i)bad configuration option"):
        resolve(parse_target("h", SshOptions(options=("Nonsense=1",))), LocalTransport())


def test_a_machine_without_ssh_is_told_what_to_install() -> None:
    local = FakeTransport([Answer(CommandResult(127, b"", b"ssh: No such file"))])
    with pytest.raises(ConnectError, match="no `ssh` program") as caught:
        resolve(parse_target("h"), local)
    assert "openssh-client" in caught.value.hint


def test_the_line_that_ssh_cannot_read_is_named(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text("Host gpu\n  Nonsense yes\n")
    with pytest.raises(UsageError, match=r"config.? line 2: Bad configuration option: nonsense"):
        resolve(parse_target("gpu", SshOptions(config_file=str(config))), LocalTransport())


# A shell that waits for a program hears no signal until that has ended, and it may be born behind the signal.
DEAF = "trap '' TERM; echo up; cat; echo cleaned >$0"


def test_a_program_that_hears_no_signal_is_told_by_the_end_of_its_input_when_we_end(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    script = f"""
from x11fwd.transports.local import LocalTransport
stream = LocalTransport().stream(("sh", "-c", {DEAF!r}, {str(mark)!r}), grace=90.0)
assert stream.read(3, 90) == b"up\\n"
"""
    path = os.pathsep.join(one for one in sys.path if one)
    environment = {**os.environ, "PYTHONPATH": path}
    subprocess.run([sys.executable, "-c", script], env=environment, timeout=240, check=True)
    assert mark.read_text() == "cleaned\n"
