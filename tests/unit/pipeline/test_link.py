"""The memory of how far away hosts are."""

from __future__ import annotations

import socket
import stat
import time
from typing import TYPE_CHECKING

from x11fwd.pipeline.ssh.link import cache_folder, known_round_trip, measure_round_trip, remember_round_trip

if TYPE_CHECKING:
    from pathlib import Path


def test_what_was_seen_is_known_at_the_next_login(tmp_path: Path) -> None:
    environ = {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    assert known_round_trip("gpu", "22", environ) is None
    remember_round_trip("gpu", "22", 0.08, environ)
    remember_round_trip("near", "22", 0.001, environ)
    remember_round_trip("gpu", "22", 0.09, environ)
    assert known_round_trip("gpu", "22", environ) == 0.09
    assert known_round_trip("near", "22", environ) == 0.001
    assert known_round_trip("gpu", "2222", environ) is None


def test_the_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    remember_round_trip("gpu", "22", 0.08, {"HOME": str(tmp_path)})
    file = tmp_path / ".cache/x11fwd/links"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in file.parent.iterdir()] == ["links"]


def test_a_week_later_it_is_asked_anew(tmp_path: Path) -> None:
    file = tmp_path / "x11fwd/links"
    file.parent.mkdir()
    file.write_text(f"gpu 22 0.08 {time.time() - 8 * 86400:.0f}\nnew 22 0.07 {time.time() - 86400:.0f}\n")
    environ = {"XDG_CACHE_HOME": str(tmp_path)}
    assert known_round_trip("gpu", "22", environ) is None
    assert known_round_trip("new", "22", environ) == 0.07


def test_a_damaged_file_and_no_file_at_all_are_no_error(tmp_path: Path) -> None:
    file = tmp_path / "x11fwd/links"
    file.parent.mkdir()
    file.write_bytes(b"\xff\xfe nonsense\ngpu 22 fast now\n\n")
    environ = {"XDG_CACHE_HOME": str(tmp_path)}
    assert known_round_trip("gpu", "22", environ) is None
    remember_round_trip("gpu", "22", 0.08, environ)
    assert known_round_trip("gpu", "22", environ) == 0.08
    remember_round_trip("gpu", "22", 0.08, {"XDG_CACHE_HOME": "/proc/nowhere"})
    remember_round_trip("gpu", "22", 0.08, {})
    assert cache_folder({}) is None


def test_only_the_last_two_hundred_hosts_are_kept(tmp_path: Path) -> None:
    environ = {"XDG_CACHE_HOME": str(tmp_path)}
    for number in range(210):
        remember_round_trip(f"h{number}", "22", 0.01, environ)
    assert known_round_trip("h0", "22", environ) is None
    assert known_round_trip("h209", "22", environ) == 0.01
    assert len((tmp_path / "x11fwd/links").read_text().splitlines()) == 200


def test_a_relative_cache_folder_is_ignored_as_the_specification_says() -> None:
    assert cache_folder({"XDG_CACHE_HOME": "cache", "HOME": "/h"}) == "/h/.cache/x11fwd"


def test_a_measurement_takes_one_connection_and_is_remembered(tmp_path: Path) -> None:
    environ = {"XDG_CACHE_HOME": str(tmp_path)}
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        tries = (measure_round_trip("127.0.0.1", port, environ) for _ in range(20))  # a busy machine is far
        took = next((one for one in tries if one is not None), None)
    assert took is not None
    assert 0 <= took < 0.15
    assert known_round_trip("127.0.0.1", port, environ) is not None


def test_a_host_that_does_not_answer_delays_the_login_by_no_more_than_the_limit(tmp_path: Path) -> None:
    environ = {"XDG_CACHE_HOME": str(tmp_path)}
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server:
        port = server.getsockname()[1]
        # A full queue: further connections get no answer from the kernel.
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        delays = []
        for _ in range(5):  # a busy machine is late, but not every time
            start = time.monotonic()
            assert measure_round_trip("127.0.0.1", str(port), environ) is None
            delays.append(time.monotonic() - start)
        assert min(delays) < 0.5
        for one in waiting:
            one.close()
