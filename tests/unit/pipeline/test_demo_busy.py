"""The demo's own server on a machine that is busy."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING

from x11fwd.pipeline.demo_sandbox import Sandbox

if TYPE_CHECKING:
    from pathlib import Path


def test_an_sshd_that_is_slow_to_greet_is_there(tmp_path: Path) -> None:
    sandbox = Sandbox(sshd="/usr/sbin/sshd", xvfb=None)
    sandbox.folder = tmp_path
    with socket.create_server(("127.0.0.1", 0)) as listener:
        sandbox.config.write_text(f"# a demo\nPort {listener.getsockname()[1]}\n", "utf-8")
        asked = threading.Event()

        def greet() -> None:
            peer, _ = listener.accept()
            with peer:
                asked.wait(2.0)  # as long as it takes to start a process for this connection
                peer.sendall(b"SSH-2.0-OpenSSH_9.2p1\r\n")

        threading.Thread(target=greet, daemon=True).start()
        assert sandbox._answers()
    assert not sandbox._answers()
