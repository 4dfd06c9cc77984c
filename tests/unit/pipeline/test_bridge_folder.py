"""The folder in which the sessions to one host meet."""

from __future__ import annotations

import os
import tempfile
import threading
from pathlib import Path

import pytest

from x11fwd.pipeline.ssh import bridge_folder
from x11fwd.pipeline.ssh.bridge_folder import Folder, answers, folder_for, in_base
from x11fwd.pipeline.ssh.bridge_half import sweep

HOST = {"hostname": "gpu1", "port": "22", "user": "ana"}


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"XDG_RUNTIME_DIR": str(tmp_path)}


def test_it_is_private_and_short(environ: dict[str, str]) -> None:
    folder = folder_for(HOST, ":0", "untrusted", environ)
    assert Path(folder.path).stat().st_mode & 0o777 == 0o700
    assert Path(folder.path).parent.stat().st_mode & 0o777 == 0o700
    assert len(Path(folder.path).name) == 16


def test_the_same_host_and_display_have_one_and_others_have_others(environ: dict[str, str]) -> None:
    first = folder_for(HOST, ":0", "untrusted", environ).path
    assert folder_for(dict(HOST), ":0", "untrusted", environ).path == first
    others = [
        folder_for({**HOST, "user": "ben"}, ":0", "untrusted", environ).path,
        folder_for({**HOST, "proxyjump": "gate"}, ":0", "untrusted", environ).path,
        folder_for(HOST, ":1", "untrusted", environ).path,
        folder_for(HOST, ":0", "trusted", environ).path,
    ]
    assert len({first, *others}) == 5


def test_a_base_too_long_for_a_socket_is_passed_over(tmp_path: Path) -> None:
    long = tmp_path / ("x" * 90)
    long.mkdir()
    folder = in_base("name-of-a-test", {"XDG_RUNTIME_DIR": str(long)})
    try:
        assert folder.path == f"/tmp/x11fwd-{os.getuid()}/name-of-a-test"
    finally:
        Path(folder.path).rmdir()


def test_a_link_in_its_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(OSError, match="not ours"):
        Folder(str(tmp_path / "link"))


def test_a_folder_that_was_open_to_others_is_closed(tmp_path: Path) -> None:
    (tmp_path / "wide").mkdir(mode=0o755)
    Folder(str(tmp_path / "wide"))
    assert (tmp_path / "wide").stat().st_mode & 0o777 == 0o700


def test_a_stale_socket_is_no_local_half(tmp_path: Path) -> None:
    folder = Folder(str(tmp_path / "f"))
    folder.lock()
    folder.listen().close()
    assert folder.call() is None
    assert not answers(folder.control)
    again = folder.listen()
    called = folder.call()
    assert called is not None
    assert answers(folder.control)
    called.close()
    again.close()
    folder.unlock()


def test_one_looks_at_a_time(tmp_path: Path) -> None:
    first, second = Folder(str(tmp_path / "f")), Folder(str(tmp_path / "f"))
    first.lock()
    done = threading.Event()

    def look() -> None:
        second.lock()
        done.set()

    thread = threading.Thread(target=look)
    thread.start()
    assert not done.wait(0.1)
    first.unlock()
    assert done.wait(90)
    thread.join()
    second.unlock()


def test_a_lock_that_was_removed_meanwhile_is_taken_anew(tmp_path: Path) -> None:
    first, second = Folder(str(tmp_path / "f")), Folder(str(tmp_path / "f"))
    first.lock()
    thread = threading.Thread(target=second.lock)
    thread.start()
    (tmp_path / "f").rename(tmp_path / "gone")  # in one step, or the other could make its lock in between
    first.unlock()
    thread.join(90)
    assert (tmp_path / "f/lock").exists()
    third = Folder(str(tmp_path / "f"))
    second.unlock()
    third.lock()
    third.unlock()


def test_a_base_that_the_last_session_removes_just_now_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The local half of another session takes its folders away while this one comes."""
    own = bridge_folder._own
    removed: list[str] = []

    def late(path: str) -> None:
        own(path)
        if path == str(base) and len(removed) < 3:
            base.rmdir()
            removed.append(path)

    monkeypatch.setattr(bridge_folder, "_own", late)
    with tempfile.TemporaryDirectory(dir="/tmp") as short:  # a socket has a short path
        base = Path(short, "x11fwd")
        assert in_base("name", {"XDG_RUNTIME_DIR": short}).path == f"{base}/name"
    assert len(removed) == 3


def test_a_master_belongs_to_its_sessions_while_one_of_them_runs(tmp_path: Path) -> None:
    first, second, looking = (Folder(str(tmp_path / "f")) for _ in range(3))
    assert looking.deserted()
    for one in (first, second):
        one.lock()
        one.hold()
        one.unlock()
    first.release()
    assert not looking.deserted()
    second.release()
    assert looking.deserted()
    assert looking.deserted()  # looking takes nothing


def test_what_a_killed_local_half_left_goes_with_the_last_session_only(tmp_path: Path) -> None:
    (tmp_path / "base").mkdir(mode=0o700)
    first, second = (Folder(str(tmp_path / "base/f")) for _ in range(2))
    for one in (first, second):
        one.lock()
        one.hold()
        one.unlock()
    first.listen().close()
    sweep(first, {})
    assert Path(first.path).exists()
    sweep(second, {})
    assert not Path(first.path).exists()
    assert not (tmp_path / "base").exists()


def test_what_another_session_has_begun_anew_is_left_to_it(tmp_path: Path) -> None:
    (tmp_path / "base").mkdir(mode=0o700)
    ended = Folder(str(tmp_path / "base/f"))
    with ended.listen():
        sweep(ended, {})
        assert answers(ended.control)
