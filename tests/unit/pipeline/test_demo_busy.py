"""The demo's own server on a machine that is busy."""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from x11fwd.errors import ProbeError
from x11fwd.pipeline import demo_sandbox
from x11fwd.pipeline.demo_sandbox import Sandbox

if TYPE_CHECKING:
    from pathlib import Path

# As sshd is started (-D -f CONFIG -E LOG), and says what sshd says.
SSHD = f"""#!{sys.executable}
import socket, sys
config, log = open(sys.argv[3]).read(), open(sys.argv[5], "a", buffering=1)
port = int(config.split("Port ")[1].split()[0])
try:
    listener = socket.create_server(("127.0.0.1", port))
except OSError:
    log.write("error: Bind to port %d on 127.0.0.1 failed: Address already in use.\\n" % port)
    log.write("fatal: Cannot bind any address.\\n")
    sys.exit(255)
log.write("Server listening on 127.0.0.1 port %d.\\n" % port)
while True:
    peer, _ = listener.accept()
    peer.sendall(b"SSH-2.0-OpenSSH_9.2p1\\r\\n")
    peer.close()
"""


@pytest.mark.parametrize("ports_taken", [1, 5])
def test_a_port_that_another_server_took_meanwhile_is_given_up_for_another_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ports_taken: int
) -> None:
    sshd = tmp_path / "sshd"
    sshd.write_text(SSHD, "utf-8")
    sshd.chmod(0o755)
    free = demo_sandbox._free_port
    made: list[Path] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        taken = listener.getsockname()[1]

        def greet() -> None:  # another demo's, for instance
            with contextlib.suppress(OSError):
                while True:
                    peer, _ = listener.accept()
                    peer.sendall(b"SSH-2.0-OpenSSH_9.2p1\r\n")
                    peer.close()

        threading.Thread(target=greet, daemon=True).start()

        def write(sandbox: Sandbox) -> None:
            made.append(sandbox.folder)
            sandbox.config.write_text(f"Port {taken if len(made) <= ports_taken else free()}\n", "utf-8")

        monkeypatch.setattr(Sandbox, "_write", write)
        sandbox = Sandbox(sshd=str(sshd), xvfb=None)
        if ports_taken == 5:
            with pytest.raises(ProbeError, match="Cannot bind any address"):
                sandbox.__enter__()
        else:
            with sandbox:
                assert f"Port {taken}\n" not in sandbox.config.read_text("utf-8")
                assert len(made) == 2
    assert [one for one in made if one.exists()] == []


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
