"""What ssh says when it fails, about X11, and when it asks."""

from __future__ import annotations

import pytest

from x11fwd.errors import AuthError, ConnectError, HostKeyError
from x11fwd.transports.base import HostKeyQuestion
from x11fwd.transports.ssh_words import (
    connect_failure,
    host_key_question,
    said,
    server_version,
    x11_refused,
    x11_remarks,
)

CHANGED = """\
debug1: Server host key: ssh-ed25519 SHA256:new
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
IT IS POSSIBLE THAT SOMEONE IS DOING SOMETHING NASTY!
The fingerprint for the ED25519 key sent by the remote host is
SHA256:VHvFYsE3kXHl0lqnvU3eYb8NXzIDJ7yiFFQCGgWfqvs.
Please contact your system administrator.
Add correct host key in /home/ana/.ssh/known_hosts to get rid of this message.
Offending ED25519 key in /home/ana/my files/known_hosts:12
Host key for [gpu1]:2222 has changed and you have requested strict checking.
Host key verification failed.
"""

FAILURES: list[tuple[str, type[ConnectError], str, str]] = [
    (
        CHANGED,
        HostKeyError,
        "known_hosts:12",
        "ssh-keygen -f '/home/ana/my files/known_hosts' -R '[gpu1]:2222'",
    ),
    (
        CHANGED.replace("Host key verification failed.", "Permission denied (publickey)."),
        AuthError,
        "let in",
        "",
    ),
    (
        (
            "No ED25519 host key is known for gpu1 and you have requested strict checking.\n"
            "Host key verification failed.\n"
        ),
        HostKeyError,
        "gpu1 is not known",
        "StrictHostKeyChecking=ask",
    ),
    ("Host key verification failed.\n", HostKeyError, "not accepted", "fingerprint"),
    (
        (
            "ED25519 host key for gpu1 was revoked and you have requested strict checking.\n"
            "Host key verification failed.\n"
        ),
        HostKeyError,
        "gpu1 is marked as revoked",
        "administrator",
    ),
    (
        "debug1: x\nana@gpu1: Permission denied (publickey,password).\n",
        AuthError,
        "publickey, password",
        "ssh-copy-id",
    ),
    (
        "Received disconnect from 1.2.3.4 port 22:2: Too many authentication failures\n",
        AuthError,
        "keys",
        "-i",
    ),
    (
        "ssh: Could not resolve hostname gpu1: Name or service not known\n",
        ConnectError,
        "Could not resolve hostname gpu1",
        "VPN",
    ),
    ("ssh: connect to host gpu1 port 22: Connection refused\n", ConnectError, "refused", "port"),
    ("ssh: connect to host gpu1 port 22: Connection timed out\n", ConnectError, "timed out", ""),
    (
        "kex_exchange_identification: read: Connection reset by peer\nConnection reset by 1.2.3.4 port 22\n",
        ConnectError,
        "kex_exchange_identification",
        "MaxStartups",
    ),
    (
        "Unable to negotiate with 1.2.3.4 port 22: no matching key exchange method found. Their offer: x\n",
        ConnectError,
        "no matching key exchange",
        "very old",
    ),
    ("debug1: only debug lines\n", ConnectError, "said nothing", ""),
    ("Connection closed by 1.2.3.4 port 22\n", ConnectError, "Connection closed", ""),
]


@pytest.mark.parametrize(("log", "kind", "message", "hint"), FAILURES, ids=range(len(FAILURES)))
def test_why_ssh_failed_is_said_with_what_to_do(
    log: str, kind: type[ConnectError], message: str, hint: str
) -> None:
    error = connect_failure(log, "ana@gpu1", "ssh -p 22 gpu")
    assert type(error) is kind
    assert message in error.message
    assert hint in error.hint


X11_LOG = """\
OpenSSH_9.2p1 Debian-2+deb12u10, OpenSSL 3.0.19 27 Jan 2026
debug1: Remote protocol version 2.0, remote software version OpenSSH_9.2p1 Debian-2+deb12u7
debug1: Remote: /home/ana/.ssh/authorized_keys:1: key options: agent-forwarding
Warning: untrusted X11 forwarding setup failed: xauth key data not generated
debug1: No xauth program.
debug1: Requesting X11 forwarding with authentication spoofing.
debug1: Remote: X11 forwarding disabled by key options.
X11 forwarding request failed on channel 0
connect /tmp/.X11-unix/X77: No such file or directory
X11 connection rejected because of wrong authentication.
debug1: Sending command: true
"""


def test_remarks_about_x11_come_in_order_without_what_stands_in_front() -> None:
    assert x11_remarks(X11_LOG) == (
        "/home/ana/.ssh/authorized_keys:1: key options: agent-forwarding",
        "Warning: untrusted X11 forwarding setup failed: xauth key data not generated",
        "No xauth program.",
        "X11 forwarding disabled by key options.",
        "X11 forwarding request failed on channel 0",
        "connect /tmp/.X11-unix/X77: No such file or directory",
        "X11 connection rejected because of wrong authentication.",
    )


REQUESTED = "debug1: Requesting X11 forwarding with authentication spoofing.\n"


@pytest.mark.parametrize(
    ("log", "verdict"),
    [
        ("debug1: Authentication succeeded (publickey).\n", None),
        (REQUESTED, False),
        (REQUESTED + "X11 forwarding request failed on channel 0\n", True),
        ("Warning: untrusted X11 forwarding setup failed: xauth key data not generated\n", True),
        ('DISPLAY "[::1]:9" invalid; disabling X11 forwarding\n', True),
        ("X11 forwarding is disabled to avoid man-in-the-middle attacks.\n", True),
        (X11_LOG + REQUESTED, False),
    ],
)
def test_a_refused_request_is_told_from_a_granted_one_and_from_none(log: str, verdict: bool | None) -> None:
    assert x11_refused(log) is verdict


def test_the_server_version_is_that_of_the_last_hop() -> None:
    line = "debug1: Remote protocol version 2.0, remote software version {}\n"
    log = line.format("OpenSSH_7.4") + "x\n" + line.format("OpenSSH_9.2p1 Debian-2+deb12u7")
    assert server_version(log) == "OpenSSH_9.2p1 Debian-2+deb12u7"
    assert server_version("nothing") is None


def test_what_was_said_to_the_person_is_what_is_no_debug_line() -> None:
    log = "OpenSSH_9.2p1\r\ndebug1: x\r\nWelcome\r\n\r\nAuthenticated to gpu1 ([1.2.3.4]:22)\r\n"
    assert said(log) == ("Welcome",)


def test_keys_that_ssh_learns_behind_the_login_are_no_words_to_the_person() -> None:
    # VERBOSE, which ssh shows with -v only, and which has no `debug1: ` in front; seen with OpenSSH 9.2
    log = (
        "Learned new hostkey: RSA SHA256:zuvvg2U4b2UI+RaHMXOUb/pCfJU6+6XJ7zYovx5O7kU\r\n"
        "Adding new key for [127.0.0.1]:2222 to /home/ana/.ssh/known_hosts: ssh-rsa SHA256:zuvvg2U4b2UI\r\n"
        "Deprecating obsolete hostkey: ED25519 SHA256:zuvvg2U4b2UI\r\n"
        "/home/ana/my files/known_hosts:12: Removed ED25519 key for host gpu1\r\n"
        "Welcome\r\n"
    )
    assert said(log) == ("Welcome",)


QUESTION = """\
The authenticity of host '[127.0.0.1]:2222 ([127.0.0.1]:2222)' can't be established.
ED25519 key fingerprint is SHA256:VHvFYsE3kXHl0lqnvU3eYb8NXzIDJ7yiFFQCGgWfqvs.
This key is not known by any other names.
Are you sure you want to continue connecting (yes/no/[fingerprint])? """


def test_the_question_about_a_host_key_is_recognised() -> None:
    assert host_key_question(QUESTION) == HostKeyQuestion(
        "[127.0.0.1]:2222", "ED25519", "SHA256:VHvFYsE3kXHl0lqnvU3eYb8NXzIDJ7yiFFQCGgWfqvs"
    )
    proxied = QUESTION.replace(" ([127.0.0.1]:2222)", " (<no hostip for proxy command>)")
    assert host_key_question(proxied) == host_key_question(QUESTION)
    assert host_key_question("ana@gpu1's password: ") is None
