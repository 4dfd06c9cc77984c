"""One battery for both transports, against real sshd: whatever one of them does, the other does too."""

from __future__ import annotations

import os
import secrets
import shutil
import stat
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.lab.hosts import ChrootHost, Setup
from tests.lab.reach import client_key
from tests.lab.relay import Relay
from x11fwd.errors import AuthError, ChangeError, ConnectError, ConnectionLost, HostKeyError, ProbeError
from x11fwd.target import SshOptions, parse_target
from x11fwd.transports.base import CommandResult, HostKeyQuestion, X11Offer
from x11fwd.transports.choose import Preference, connect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.lab.screen import Screen
    from x11fwd.transports.base import Transport

    NewHost = Callable[..., ChrootHost]
    SharedHost = Callable[..., ChrootHost]


@pytest.fixture(params=["paramiko", "openssh"])
def way(request: pytest.FixtureRequest) -> Preference:
    return "paramiko" if request.param == "paramiko" else "openssh"


@dataclass
class Answers:
    """A prompter that gives fixed answers and remembers the questions."""

    accept: bool | None = None
    secrets: list[str | None] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    keys: list[HostKeyQuestion] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)

    def accept_host_key(self, question: HostKeyQuestion) -> bool:
        self.keys.append(question)
        assert self.accept is not None, "no host key question was expected"
        return self.accept

    def secret(self, prompt: str) -> str | None:
        self.asked.append(prompt)
        return self.secrets.pop(0) if self.secrets else None

    def visible(self, prompt: str) -> str | None:
        return self.secret(prompt)

    def notice(self, text: str) -> None:
        self.notices.append(text)


class Desk:
    """An ssh_config and a known_hosts of one test's own; root's real files are never looked at."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = folder / "config"
        self.known = folder / "ssh" / "known_hosts"
        self.config.write_text("")
        self.open: list[Transport] = []

    def alias(
        self,
        name: str,
        host: ChrootHost,
        *lines: str,
        user: str = "ana",
        port: int | None = None,
        key: Path | None = None,
        trust: bool = True,
    ) -> str:
        port = port or host.port
        if trust:
            self.known.parent.mkdir(mode=0o700, exist_ok=True)
            with self.known.open("a") as file:
                file.write(f"[{host.address}]:{port} {host.host_key()}\n")
        block = [f"Host {name}", f"HostName {host.address}", f"Port {port}", f"User {user}", *lines]
        block += [f"IdentityFile {key or client_key()}", "IdentitiesOnly yes"]
        block += [f"UserKnownHostsFile {self.known}", "GlobalKnownHostsFile /dev/null"]
        with self.config.open("a") as file:
            file.write("\n    ".join(block) + "\n")
        return name

    def connect(
        self,
        name: str,
        way: Preference,
        answers: Answers | None = None,
        *,
        x11: X11Offer | None = None,
        timeout: float = 20,
    ) -> Transport:
        target = parse_target(name, SshOptions(config_file=str(self.config)))
        transport = connect(target, prompter=answers or Answers(), choice=way, x11=x11, timeout=timeout)
        self.open.append(transport)
        assert transport.name == way
        return transport


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    made = Desk(tmp_path)
    with tempfile.TemporaryDirectory(prefix="t-") as short:
        monkeypatch.setattr(tempfile, "tempdir", short)
        yield made
        for transport in made.open:
            transport.close()
        assert not list(Path(short).iterdir()), "a private folder was left behind"


@pytest.fixture
def line(chroot_host: SharedHost, desk: Desk, way: Preference) -> Transport:
    """An open connection to a bare host."""
    return desk.connect(desk.alias("host", chroot_host()), way)


# -- commands


@pytest.mark.parametrize("status", [0, 1, 7, 126, 127, 255])
def test_every_exit_status_is_data(line: Transport, status: int) -> None:
    assert line.run(["sh", "-c", f"exit {status}"]).exit_status == status


def test_a_command_killed_by_a_signal_reads_128_plus_its_number(line: Transport) -> None:
    assert line.run(["sh", "-c", "kill -9 $$"]).exit_status == 137


def test_output_is_binary_safe_and_streams_are_apart(line: Transport) -> None:
    done = line.run(["sh", "-c", "cat; printf 'oops\\377' >&2"], stdin=bytes(range(256)))
    assert done == CommandResult(0, bytes(range(256)), b"oops\xff")


def test_five_megabytes_come_back_whole(line: Transport) -> None:
    done = line.run(["sh", "-c", "head -c 5000000 /dev/zero | tr '\\0' x"])
    assert done.stdout == b"x" * 5_000_000


def test_three_megabytes_go_there_and_come_back(line: Transport) -> None:
    data = os.urandom(3_000_000)
    assert line.run(["cat"], stdin=data).stdout == data


def test_a_command_that_does_not_read_its_input_still_answers(line: Transport) -> None:
    assert line.run(["echo", "done"], stdin=b"x" * 3_000_000).stdout == b"done\n"


def test_awkward_arguments_arrive_unchanged(line: Transport) -> None:
    words = ["it's", "new\nline", "!bang", "back\\slash", "$HOME `id`", "", "ümläut", "*"]
    done = line.run(["printf", "<%s>", *words])
    assert done.text == "".join(f"<{word}>" for word in words)


def test_the_locale_is_c_and_each_command_is_one_round_trip(line: Transport) -> None:
    before = line.round_trips
    assert line.run(["sh", "-c", "echo $LC_ALL"]).text == "C\n"
    line.run(["true"])
    assert line.round_trips - before == 2


def test_a_background_process_that_holds_the_streams_does_not_hold_us(line: Transport) -> None:
    began = time.monotonic()
    assert line.run(["sh", "-c", "sleep 600 & echo started"]).text == "started\n"
    assert time.monotonic() - began < 50
    assert line.run(["echo", "again"]).text == "again\n"


def test_many_commands_run_at_the_same_time(line: Transport) -> None:
    answers: dict[int, str] = {}

    def ask(number: int) -> None:
        answers[number] = line.run(["sh", "-c", f"sleep 0.2; echo {number}"]).text

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(180)
    assert answers == {number: f"{number}\n" for number in range(5)}


def test_one_session_at_a_time_is_enough(new_chroot_host: NewHost, desk: Desk, way: Preference) -> None:
    one = {"/etc/ssh/sshd_config.d/10-one.conf": "MaxSessions 1\n"}
    line = desk.connect(desk.alias("host", new_chroot_host("bookworm", "bare", Setup(files=one))), way)
    for number in range(5):
        assert line.run(["echo", str(number)]).text == f"{number}\n"
    stream = line.stream(["cat"])
    stream.write(b"x")
    assert stream.read(1, 90) == b"x"
    with pytest.raises(ConnectError, match="refuses a session") as caught:
        line.run(["true"])
    assert "MaxSessions" in caught.value.hint
    stream.close()
    assert line.run(["echo", "again"]).text == "again\n"


def test_the_server_says_what_it_is(line: Transport) -> None:
    assert (line.server_version or "").startswith("OpenSSH_9.2p1")


@pytest.mark.parametrize(
    "shell", ["/bin/bash", "/bin/dash", "/usr/bin/zsh", "/usr/bin/fish", "/usr/bin/tcsh"]
)
def test_every_login_shell_runs_the_same_command(
    new_chroot_host: NewHost, desk: Desk, way: Preference, shell: str
) -> None:
    host = new_chroot_host("bookworm", "shells", Setup(login_shell=shell))
    line = desk.connect(desk.alias("host", host), way)
    done = line.run(["sh", "-c", 'printf "%s" "$1"; cat; exit 5', "sh", "it's \\ ! a\nb ü"], stdin=b"\0\xff")
    assert done == CommandResult(5, "it's \\ ! a\nb ü".encode() + b"\0\xff", b"")
    stream = line.stream(["cat"])
    stream.write(b"echo\n")
    assert stream.read(10, 10) == b"echo\n"
    stream.close()


@pytest.mark.parametrize(
    ("shell", "file"),
    [
        ("/bin/bash", ".bashrc"),
        ("/usr/bin/zsh", ".zshenv"),
        ("/usr/bin/fish", ".config/fish/config.fish"),
        ("/usr/bin/tcsh", ".tcshrc"),
    ],
)
def test_login_files_that_talk_do_no_harm(
    new_chroot_host: NewHost, desk: Desk, way: Preference, shell: str, file: str
) -> None:
    host = new_chroot_host("bookworm", "shells", Setup(login_shell=shell))
    talk = "echo 'Welcome to the cluster!'\nls /no/such/file\n"
    host.write(f"/home/ana/{file}", talk, user="ana")
    line = desk.connect(desk.alias("host", host), way)
    result = line.run(["echo", "wanted"])
    assert replace(result, noise=b"") == CommandResult(0, b"wanted\n", b"")
    assert b"Welcome to the cluster!" in result.noise
    line.put("/home/ana/put", b"x")
    stream = line.stream(["echo", "streamed"])
    assert stream.read(100, 10) == b"streamed\n"
    stream.close()


def test_a_forced_command_is_named_with_what_it_printed(
    new_chroot_host: NewHost, desk: Desk, way: Preference
) -> None:
    host = new_chroot_host("bookworm", "bare", Setup(key_prefix='command="echo only backups here"'))
    line = desk.connect(desk.alias("host", host), way)
    with pytest.raises(ProbeError, match="only backups here"):
        line.run(["true"])
    with pytest.raises(ProbeError, match="only backups here"):
        line.stream(["cat"]).read(10, 10)


def test_a_forced_command_that_passes_ours_on_is_no_obstacle(
    new_chroot_host: NewHost, desk: Desk, way: Preference
) -> None:
    prefix = 'command="echo logged; exec sh -c \\"$SSH_ORIGINAL_COMMAND\\""'
    host = new_chroot_host("bookworm", "bare", Setup(key_prefix=prefix))
    assert desk.connect(desk.alias("host", host), way).run(["echo", "it's me"]).text == "it's me\n"


def test_an_account_that_may_not_log_in_is_not_read_as_an_answer(
    new_chroot_host: NewHost, desk: Desk, way: Preference
) -> None:
    host = new_chroot_host("bookworm", "bare", Setup(login_shell="/usr/sbin/nologin"))
    line = desk.connect(desk.alias("host", host), way)
    with pytest.raises(ProbeError, match="not available"):
        line.run(["true"])


# -- files and streams


def test_a_file_is_put_with_its_mode_and_nothing_is_left_beside_it(
    chroot_host: SharedHost, line: Transport
) -> None:
    folder = line.run(["mktemp", "-d"]).text.strip()
    data = os.urandom(200_000)
    line.put(f"{folder}/it's a file", b"old")
    line.put(f"{folder}/it's a file", data, mode=0o640)
    there = chroot_host().root / folder[1:]
    file = there / "it's a file"
    assert file.read_bytes() == data
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert list(there.iterdir()) == [file]


def test_a_file_that_cannot_be_written_is_refused_in_the_remotes_words(line: Transport) -> None:
    with pytest.raises(ChangeError, match=r"Permission denied|Directory nonexistent"):
        line.put("/etc/x11fwd-test", b"x")


def test_a_stream_goes_both_ways_until_each_side_is_closed(line: Transport) -> None:
    stream = line.stream(["sh", "-c", "cat; echo bye >&2; exit 3"])
    for number in range(20):
        data = os.urandom(1000) + bytes([number])
        stream.write(data)
        got = b""
        while len(got) < len(data):
            got += stream.read(4096, 90)
        assert got == data
    with pytest.raises(TimeoutError):
        stream.read(1, 0.05)
    stream.close_write()
    assert stream.read(1, 90) == b""
    assert stream.wait(90) == 3
    assert stream.stderr() == b"bye\n"
    stream.close()


def test_a_stream_carries_megabytes_while_stderr_is_busy(line: Transport) -> None:
    stream = line.stream(["sh", "-c", "head -c 4000000 /dev/zero >&2; head -c 3000000 /dev/zero; exit 0"])
    size = 0
    while data := stream.read(65536, 90):
        size += len(data)
    assert size == 3_000_000
    assert stream.wait(90) == 0
    assert len(stream.stderr()) == 4_000_000
    stream.close()


# -- getting in


def test_a_password_is_asked_for_and_never_seen_elsewhere(
    new_chroot_host: NewHost, desk: Desk, way: Preference
) -> None:
    host = new_chroot_host()
    # one of its own: other tests may have that of all hosts on a command line just now
    password = secrets.token_hex(12)
    assert host.run(["chpasswd"], f"ana:{password}\n").rc == 0
    name = desk.alias("host", host, "PreferredAuthentications password")
    answers = Answers(secrets=["wrong", password])
    line = desk.connect(name, way, answers)
    assert line.run(["id", "-un"]).text == "ana\n"
    assert answers.asked == [f"ana@{host.address}'s password: "] * 2
    assert not on_any_command_line(password)


def on_any_command_line(secret: str) -> bool:
    for folder in Path("/proc").glob("[0-9]*"):
        for name in ("cmdline", "environ"):
            try:
                if secret.encode() in (folder / name).read_bytes():
                    return True
            except OSError:  # noqa: PERF203  processes come and go
                continue
    return False


def test_nobody_to_ask_for_the_password_is_said_so(
    chroot_host: SharedHost, desk: Desk, way: Preference
) -> None:
    name = desk.alias("host", chroot_host(), "PreferredAuthentications password")
    began = time.monotonic()
    with pytest.raises(AuthError, match="nobody was there") as caught:
        desk.connect(name, way, Answers())
    assert "terminal" in caught.value.hint
    assert time.monotonic() - began < 50


def test_a_wrong_password_three_times_is_refused(
    chroot_host: SharedHost, desk: Desk, way: Preference
) -> None:
    answers = Answers(secrets=["a", "b", "c", "d"])
    with pytest.raises(AuthError, match="not let in") as caught:
        desk.connect(desk.alias("host", chroot_host(), "PreferredAuthentications password"), way, answers)
    assert len(answers.asked) == 3
    assert "password" in caught.value.message


TWICE = {
    "/etc/ssh/sshd_config.d/10-twice.conf": "KbdInteractiveAuthentication yes\nPasswordAuthentication no\n"
    "AuthenticationMethods keyboard-interactive,keyboard-interactive\n"
}


def test_one_time_codes_are_asked_one_after_the_other(
    new_chroot_host: NewHost, desk: Desk, way: Preference
) -> None:
    host = new_chroot_host("bookworm", "bare", Setup(files=TWICE))
    answers = Answers(secrets=[host.password, host.password])
    line = desk.connect(
        desk.alias("host", host, "PreferredAuthentications keyboard-interactive"), way, answers
    )
    assert line.run(["id", "-un"]).text == "ana\n"
    assert [prompt.partition(") ")[2] for prompt in answers.asked] == ["Password: ", "Password: "]


def test_a_key_and_then_a_password_are_asked_where_the_server_wants_both(
    new_chroot_host: NewHost, desk: Desk, way: Preference
) -> None:
    both = {"/etc/ssh/sshd_config.d/10-both.conf": "AuthenticationMethods publickey,password\n"}
    host = new_chroot_host("bookworm", "bare", Setup(files=both))
    answers = Answers(secrets=[host.password])
    assert desk.connect(desk.alias("host", host), way, answers).run(["true"]).ok
    assert len(answers.asked) == 1


def make_key(folder: Path, name: str, *words: str, passphrase: str = "") -> Path:
    path = folder / name
    subprocess.run(["ssh-keygen", "-q", "-N", passphrase, "-f", str(path), *words], check=True)
    return path


KEYS = [
    ("ed25519", ("-t", "ed25519")),
    ("rsa", ("-t", "rsa", "-b", "2048")),
    ("ecdsa", ("-t", "ecdsa", "-b", "384")),
    ("rsa-pem", ("-t", "rsa", "-b", "2048", "-m", "PEM")),
    ("ecdsa-pkcs8", ("-t", "ecdsa", "-m", "PKCS8")),
]


@pytest.mark.parametrize("passphrase", ["", "correct horse"], ids=["open", "locked"])
@pytest.mark.parametrize(("kind", "words"), KEYS, ids=[kind for kind, _ in KEYS])
def test_every_kind_of_key_file_lets_us_in(
    new_chroot_host: NewHost, desk: Desk, way: Preference, kind: str, words: tuple[str, ...], passphrase: str
) -> None:
    host = new_chroot_host()
    key = make_key(desk.folder, "key", *words, passphrase=passphrase)
    host.authorize("ana", key=key.with_suffix(".pub").read_text())
    answers = Answers(secrets=["wrong", passphrase] if passphrase else [])
    assert desk.connect(desk.alias("host", host, key=key), way, answers).run(["true"]).ok
    assert answers.asked == [f"Enter passphrase for key '{key}': "] * (2 if passphrase else 0)


def test_no_passphrase_is_asked_for_a_key_that_the_server_does_not_want(
    chroot_host: SharedHost, desk: Desk, way: Preference
) -> None:
    key = make_key(desk.folder, "key", "-t", "ed25519", passphrase="secret")
    answers = Answers(secrets=["secret"])
    with pytest.raises(AuthError):
        desk.connect(desk.alias("host", chroot_host(), "BatchMode no", key=key), way, answers)
    assert not [prompt for prompt in answers.asked if "passphrase" in prompt]


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Path]:
    socket = tmp_path / "agent"
    process = subprocess.Popen(["ssh-agent", "-D", "-a", str(socket)], stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 90
    while not socket.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    yield socket
    process.terminate()
    process.wait()


@pytest.mark.parametrize("how", ["SSH_AUTH_SOCK", "IdentityAgent"])
@pytest.mark.parametrize("kind", ["ed25519", "rsa"])
def test_a_key_in_the_agent_lets_us_in(
    new_chroot_host: NewHost,
    desk: Desk,
    way: Preference,
    agent: Path,
    monkeypatch: pytest.MonkeyPatch,
    how: str,
    kind: str,
) -> None:
    host = new_chroot_host()
    key = make_key(desk.folder, "key", "-t", kind)
    host.authorize("ana", key=key.with_suffix(".pub").read_text())
    subprocess.run(["ssh-add", "-q", str(key)], env={**os.environ, "SSH_AUTH_SOCK": str(agent)}, check=True)
    key.unlink()
    lines = ["IdentitiesOnly no"]
    if how == "SSH_AUTH_SOCK":
        monkeypatch.setenv("SSH_AUTH_SOCK", str(agent))
    else:
        lines.append(f"IdentityAgent {agent}")
    assert desk.connect(desk.alias("host", host, *lines, key=key), way).run(["true"]).ok


def test_a_public_key_names_the_agents_key(
    new_chroot_host: NewHost, desk: Desk, way: Preference, agent: Path
) -> None:
    host = new_chroot_host()
    key, other = (
        make_key(desk.folder, "key", "-t", "ed25519"),
        make_key(desk.folder, "other", "-t", "ed25519"),
    )
    host.authorize("ana", key=key.with_suffix(".pub").read_text())
    for one in (other, key):
        subprocess.run(
            ["ssh-add", "-q", str(one)], env={**os.environ, "SSH_AUTH_SOCK": str(agent)}, check=True
        )
    key.unlink()
    for number, named in enumerate((key, key.with_suffix(".pub"))):
        name = desk.alias(f"host{number}", host, f"IdentityAgent {agent}", key=named)
        assert desk.connect(name, way).run(["true"]).ok


def test_identity_agent_none_keeps_the_agent_out(
    new_chroot_host: NewHost, desk: Desk, way: Preference, agent: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = new_chroot_host()
    key = make_key(desk.folder, "key", "-t", "ed25519")
    host.authorize("ana", key=key.with_suffix(".pub").read_text())
    subprocess.run(["ssh-add", "-q", str(key)], env={**os.environ, "SSH_AUTH_SOCK": str(agent)}, check=True)
    key.unlink()
    monkeypatch.setenv("SSH_AUTH_SOCK", str(agent))
    with pytest.raises(AuthError):
        desk.connect(desk.alias("host", host, "IdentityAgent none", "IdentitiesOnly no", key=key), way)


def test_the_servers_banner_is_shown(new_chroot_host: NewHost, desk: Desk, way: Preference) -> None:
    files = {
        "/etc/issue.net": "Authorized use only.\nSmile.\n",
        "/etc/ssh/sshd_config.d/10-banner.conf": "Banner /etc/issue.net\n",
    }
    answers = Answers()
    desk.connect(desk.alias("host", new_chroot_host("bookworm", "bare", Setup(files=files))), way, answers)
    assert "Authorized use only.\nSmile." in "\n".join(answers.notices)


# -- host keys


def test_an_unknown_host_key_is_shown_accepted_and_remembered(
    chroot_host: SharedHost, desk: Desk, way: Preference
) -> None:
    host = chroot_host()
    answers = Answers(accept=True)
    name = desk.alias("host", host, trust=False)
    desk.known.parent.mkdir(mode=0o700)
    desk.connect(name, way, answers).close()
    question = answers.keys[0]
    assert (question.fingerprint, question.key_type) == (host.fingerprint(), "ED25519")
    assert question.host == f"[{host.address}]:{host.port}"
    assert desk.known.read_text().split()[:3] == host.known_hosts_line.split()
    assert stat.S_IMODE(desk.known.stat().st_mode) == (0o600 if way == "paramiko" else 0o644)
    desk.connect(name, way, Answers())


def test_an_unknown_host_key_that_is_not_accepted_ends_it(
    chroot_host: SharedHost, desk: Desk, way: Preference
) -> None:
    with pytest.raises(HostKeyError, match="not accepted"):
        desk.connect(desk.alias("host", chroot_host(), trust=False), way, Answers(accept=False))
    assert not desk.known.exists()


@pytest.mark.parametrize(("strict", "known"), [("accept-new", True), ("no", True)])
def test_new_keys_are_taken_without_a_question_where_the_user_wants_it(
    chroot_host: SharedHost, desk: Desk, way: Preference, strict: str, known: bool
) -> None:
    name = desk.alias("host", chroot_host(), f"StrictHostKeyChecking {strict}", trust=False)
    desk.known.parent.mkdir(mode=0o700)
    assert desk.connect(name, way).run(["true"]).ok
    assert desk.known.exists() == known


def test_strict_checking_refuses_an_unknown_key(chroot_host: SharedHost, desk: Desk, way: Preference) -> None:
    with pytest.raises(HostKeyError, match="strict checking"):
        desk.connect(desk.alias("host", chroot_host(), "StrictHostKeyChecking yes", trust=False), way)


def test_new_entries_are_hashed_where_the_user_wants_it(
    chroot_host: SharedHost, desk: Desk, way: Preference
) -> None:
    host = chroot_host()
    name = desk.alias("host", host, "HashKnownHosts yes", trust=False)
    desk.known.parent.mkdir(mode=0o700)
    desk.connect(name, way, Answers(accept=True)).close()
    assert desk.known.read_text().startswith("|1|")
    found = subprocess.run(
        ["ssh-keygen", "-F", f"[{host.address}]:{host.port}", "-f", str(desk.known)],
        capture_output=True,
        check=False,
    )
    assert found.returncode == 0
    desk.connect(name, way, Answers())


def test_a_hashed_known_hosts_file_is_understood(
    chroot_host: SharedHost, desk: Desk, way: Preference
) -> None:
    name = desk.alias("host", chroot_host())
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", str(desk.known)], check=True, capture_output=True)
    assert "127.0.0.1" not in desk.known.read_text()
    assert desk.connect(name, way).run(["true"]).ok


def test_a_host_known_by_another_type_of_key_is_known(
    chroot_host: SharedHost, desk: Desk, way: Preference
) -> None:
    host = chroot_host()
    name = desk.alias("host", host, trust=False)
    desk.known.parent.mkdir(mode=0o700)
    desk.known.write_text(f"[{host.address}]:{host.port} {host.host_key('ecdsa')}\n")
    assert desk.connect(name, way).run(["true"]).ok


def test_a_changed_host_key_is_refused_with_the_keygen_line(
    chroot_host: SharedHost, desk: Desk, way: Preference
) -> None:
    host = chroot_host()
    name = desk.alias("host", host, trust=False)
    desk.known.parent.mkdir(mode=0o700)
    other = make_key(desk.folder, "other", "-t", "ed25519").with_suffix(".pub").read_text()
    desk.known.write_text(f"[{host.address}]:{host.port} {other}")
    with pytest.raises(HostKeyError, match="has changed") as caught:
        desk.connect(name, way)
    command = f"ssh-keygen -f {desk.known} -R '[{host.address}]:{host.port}'"
    assert command in caught.value.hint
    subprocess.run(command, shell=True, check=True, capture_output=True)
    desk.connect(name, way, Answers(accept=True))


def test_a_changed_host_key_with_checking_off_gets_no_password(
    chroot_host: SharedHost, desk: Desk, way: Preference
) -> None:
    host = chroot_host()
    name = desk.alias(
        "host", host, "StrictHostKeyChecking no", "PreferredAuthentications password", trust=False
    )
    desk.known.parent.mkdir(mode=0o700)
    other = make_key(desk.folder, "other", "-t", "ed25519").with_suffix(".pub").read_text()
    desk.known.write_text(f"[{host.address}]:{host.port} {other}")
    answers = Answers(secrets=[host.password])
    with pytest.raises(AuthError):
        desk.connect(name, way, answers)
    assert answers.asked == []


def test_a_host_key_alias_is_the_name_that_counts(
    chroot_host: SharedHost, desk: Desk, way: Preference
) -> None:
    host = chroot_host()
    name = desk.alias("host", host, "HostKeyAlias cluster", trust=False)
    desk.known.parent.mkdir(mode=0o700)
    desk.known.write_text(f"cluster {host.host_key()}\n")
    assert desk.connect(name, way).run(["true"]).ok


def test_a_revoked_host_key_is_refused(chroot_host: SharedHost, desk: Desk, way: Preference) -> None:
    host = chroot_host()
    name = desk.alias("host", host)
    with desk.known.open("a") as file:
        file.write(f"@revoked * {host.host_key()}\n")
    with pytest.raises(HostKeyError, match="revoked"):
        desk.connect(name, way)


# -- the way there


def test_two_jump_hosts_are_passed_each_with_its_own_host_key(
    chroot_host: SharedHost, new_chroot_host: NewHost, desk: Desk, way: Preference
) -> None:
    inner, gate = chroot_host(), new_chroot_host()
    desk.alias("gate", gate, user="ben")
    desk.alias("second", gate, user="ana")
    desk.alias("inner", inner, "ProxyJump gate,second")
    line = desk.connect("inner", way)
    assert line.run(["id", "-un"]).text == "ana\n"
    log = gate.sshd_log()
    assert "for ben from" in log
    assert "for ana from" in log


def test_a_jump_hosts_own_key_is_checked(
    chroot_host: SharedHost, new_chroot_host: NewHost, desk: Desk, way: Preference
) -> None:
    inner, gate = chroot_host(), new_chroot_host()
    desk.alias("gate", gate, trust=False)
    desk.alias("inner", inner, "ProxyJump gate")
    answers = Answers(accept=False)
    with pytest.raises(HostKeyError):
        desk.connect("inner", way, answers)
    assert answers.keys[0].fingerprint == gate.fingerprint()


def test_a_jump_host_that_forbids_forwarding_is_named(
    chroot_host: SharedHost, new_chroot_host: NewHost, desk: Desk, way: Preference
) -> None:
    gate = new_chroot_host("bookworm", "bare", Setup(key_prefix="no-port-forwarding"))
    desk.alias("gate", gate)
    desk.alias("inner", chroot_host(), "ProxyJump gate")
    with pytest.raises(ConnectError, match="prohibited"):
        desk.connect("inner", way)


def test_a_proxy_command_is_the_way(chroot_host: SharedHost, desk: Desk, way: Preference) -> None:
    mark = desk.folder / "used"
    script = desk.folder / "proxy"
    code = (
        "import socket,sys,threading,os\n"
        "s=socket.create_connection((sys.argv[1],int(sys.argv[2])))\n"
        "def up():\n"
        "    while d:=os.read(0,65536): s.sendall(d)\n"
        "threading.Thread(target=up,daemon=True).start()\n"
        "while d:=s.recv(65536): os.write(1,d)\n"
    )
    script.write_text(code)
    python = shutil.which("python3")
    command = f"ProxyCommand sh -c 'echo %n > {mark}; exec {python} {script} %h %p'"
    line = desk.connect(desk.alias("host", chroot_host(), command), way)
    assert line.run(["echo", "through"]).text == "through\n"
    assert mark.read_text() == "host\n"
    line.close()


def test_what_a_broken_proxy_command_says_is_passed_on(
    chroot_host: SharedHost, desk: Desk, way: Preference
) -> None:
    name = desk.alias("host", chroot_host(), "ProxyCommand sh -c 'echo no way through >&2; exit 1'")
    with pytest.raises(ConnectError, match="no way through"):
        desk.connect(name, way)


def test_a_closed_port_is_refused_at_once(desk: Desk, chroot_host: SharedHost, way: Preference) -> None:
    from tests.lab.reach import claim_port

    port, lock = claim_port()
    with lock, pytest.raises(ConnectError, match="refused") as caught:
        desk.connect(desk.alias("host", chroot_host(), port=port), way)
    assert "port" in caught.value.hint


def test_a_name_that_cannot_be_resolved_is_said_so(desk: Desk, way: Preference) -> None:
    with pytest.raises(ConnectError, match="resolve"):
        desk.connect("no-such-host.invalid", way)


def test_a_server_that_says_nothing_is_given_up(desk: Desk, chroot_host: SharedHost, way: Preference) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        name = desk.alias("host", chroot_host(), "ConnectTimeout 1", port=silent.getsockname()[1])
        began = time.monotonic()
        with pytest.raises(ConnectError):
            desk.connect(name, way)
        assert time.monotonic() - began < 50


@pytest.mark.parametrize("suite", ["bullseye", "bookworm", "trixie"])
def test_every_sshd_from_8_4_to_10_lets_us_in(
    chroot_host: SharedHost, desk: Desk, way: Preference, screen: Screen, suite: str
) -> None:
    host = chroot_host(suite)
    line = desk.connect(desk.alias("key", host), way, x11=offer_of(screen))
    assert line.run(["sh", "-c", "cat; exit 4"], stdin=b"data") == CommandResult(4, b"data", b"")
    line.run(["true"], x11=True)
    assert line.x11.granted is False
    answers = Answers(secrets=[host.password])
    name = desk.alias("password", host, "PreferredAuthentications password")
    assert desk.connect(name, way, answers).run(["true"]).ok


def test_paramiko_needs_fewer_round_trips_than_ssh_for_a_first_command(
    chroot_host: SharedHost, desk: Desk
) -> None:
    # far enough that a thread which a busy machine wakes late still speaks before the next answer is there
    with Relay(chroot_host().port, delay=0.1) as relay:
        name = desk.alias("far", chroot_host(), port=relay.port)
        line = desk.connect(name, "paramiko")
        assert line.run(["true"]).ok
        ours = relay.counts().round_trips
        for _ in range(3):
            assert line.run(["true"]).ok
        assert relay.counts().round_trips - ours <= 4
        line.close()
        before = relay.counts().round_trips
        subprocess.run(["ssh", "-F", str(desk.config), name, "true"], check=True)
        theirs = relay.counts().round_trips - before
    assert ours < theirs


# -- a line that dies


@pytest.fixture
def relay(chroot_host: SharedHost) -> Iterator[Relay]:
    with Relay(chroot_host().port) as made:
        yield made


def test_a_frozen_line_is_given_up_within_the_limit(
    chroot_host: SharedHost, relay: Relay, desk: Desk, way: Preference
) -> None:
    line = desk.connect(desk.alias("far", chroot_host(), port=relay.port), way)
    assert line.run(["true"]).ok
    relay.freeze()
    began = time.monotonic()
    with pytest.raises(ConnectionLost):
        line.run(["cat"], stdin=b"x" * 3_000_000, timeout=2)
    assert time.monotonic() - began < 50
    began = time.monotonic()
    line.close()
    assert time.monotonic() - began < 50


def test_a_silent_server_is_noticed_by_keepalive(
    chroot_host: SharedHost, relay: Relay, desk: Desk, way: Preference
) -> None:
    name = desk.alias("far", chroot_host(), "ServerAliveInterval 1", "ServerAliveCountMax 2", port=relay.port)
    line = desk.connect(name, way)
    stream = line.stream(["cat"])
    stream.write(b"x")
    assert stream.read(1, 90) == b"x"
    relay.freeze()
    began = time.monotonic()
    with pytest.raises(ConnectionLost):
        line.run(["true"], timeout=200)
    with pytest.raises(ConnectionLost):
        stream.read(1, 200)
    assert time.monotonic() - began < 90


def test_a_cut_line_ends_everything_at_once(
    chroot_host: SharedHost, relay: Relay, desk: Desk, way: Preference
) -> None:
    line = desk.connect(desk.alias("far", chroot_host(), port=relay.port), way)
    stream = line.stream(["cat"])
    stream.write(b"x")
    assert stream.read(1, 90) == b"x"
    threading.Timer(0.3, relay.cut).start()
    began = time.monotonic()
    with pytest.raises(ConnectionLost):
        line.run(["sleep", "600"], timeout=300)
    with pytest.raises(ConnectionLost):
        stream.read(1, 90)
    with pytest.raises(ConnectionLost):
        line.run(["true"], timeout=300)
    assert time.monotonic() - began < 50


def test_a_command_that_hangs_does_not_take_the_connection_with_it(line: Transport) -> None:
    with pytest.raises(ConnectionLost):
        line.run(["sleep", "30"], timeout=0.5)
    assert line.run(["echo", "alive"]).text == "alive\n"


def test_a_closed_transport_says_so(line: Transport) -> None:
    line.close()
    with pytest.raises(ConnectionLost):
        line.run(["true"], timeout=5)


# -- X11

HANDSHAKE = """
import os, socket, struct, subprocess, sys
order, wrong = sys.argv[1], sys.argv[2] == "wrong"
display = os.environ.get("DISPLAY")
if not display:
    print("no DISPLAY"); sys.exit(3)
number = int(display.rpartition(":")[2].split(".")[0])
cookie = bytes.fromhex(subprocess.check_output(["xauth", "list", display]).split()[2].decode())
if wrong:
    cookie = bytes(16)
name = b"MIT-MAGIC-COOKIE-1"
mark = "<" if order == "l" else ">"
s = socket.create_connection(("localhost", 6000 + number))
s.settimeout(10)
head = struct.pack(mark + "HHHH2x", 11, 0, len(name), len(cookie))
s.sendall(order.encode() + b"\\0" + head + name + b"\\0\\0" + cookie)
answer = b""
while len(answer) < 40:
    data = s.recv(4096)
    if not data:
        break
    answer += data
if not answer:
    print("closed"); sys.exit(4)
print("status", answer[0], answer[40:60])
"""


def offer_of(screen: Screen, *, trusted: bool = True) -> X11Offer:
    return X11Offer(
        display=screen.display,
        authority=str(screen.authority),
        trusted=trusted,
        xauth="/usr/bin/xauth",
        cookie=bytes.fromhex(screen.cookie),
    )


@pytest.fixture
def x11_host(new_chroot_host: NewHost) -> ChrootHost:
    return new_chroot_host("bookworm", "plot", Setup(x11_forwarding=True))


@pytest.mark.parametrize("trusted", [True, False], ids=["trusted", "untrusted"])
def test_a_program_there_reaches_the_display_here(
    x11_host: ChrootHost, desk: Desk, way: Preference, screen: Screen, trusted: bool
) -> None:
    line = desk.connect(desk.alias("host", x11_host), way, x11=offer_of(screen, trusted=trusted))
    assert (line.x11.requested, line.x11.granted) == (True, None)
    assert line.run(["sh", "-c", "echo ${DISPLAY:-none}"]).text == "none\n"
    for order in ("l", "B"):
        done = line.run(["python3", "-c", HANDSHAKE, order, "right"], x11=True, timeout=180)
        assert done.text.startswith("status 1 "), done
    assert line.x11.granted is True


def test_a_wrong_cookie_is_turned_away_here(
    x11_host: ChrootHost, desk: Desk, way: Preference, screen: Screen
) -> None:
    line = desk.connect(desk.alias("host", x11_host), way, x11=offer_of(screen))
    done = line.run(["python3", "-c", HANDSHAKE, "l", "wrong"], x11=True, timeout=180)
    assert done.text == "closed\n"
    assert "rejected" in " ".join(line.x11.remarks)


def test_the_real_cookie_is_never_seen_on_the_other_side(
    x11_host: ChrootHost, desk: Desk, way: Preference, screen: Screen
) -> None:
    line = desk.connect(desk.alias("host", x11_host), way, x11=offer_of(screen))
    there = line.run(["sh", "-c", "xauth list $DISPLAY"], x11=True).text
    assert "MIT-MAGIC-COOKIE-1" in there
    assert screen.cookie not in there


def test_a_real_window_opens_here(x11_host: ChrootHost, desk: Desk, way: Preference, screen: Screen) -> None:
    line = desk.connect(desk.alias("host", x11_host), way, x11=offer_of(screen))
    script = (
        "import tkinter; r = tkinter.Tk(); r.title('x11fwd battery'); r.update()\n"
        "print('open', flush=True); input()"
    )
    stream = line.stream(["python3", "-c", script], x11=True)
    assert stream.read(100, 180) == b"open\n", stream.stderr()
    assert "x11fwd battery" in screen.windows()
    stream.write(b"\n")
    assert stream.wait(90) == 0
    stream.close()


REFUSALS = [
    ("forwarding-no", "plot", Setup(x11_forwarding=False), ""),
    (
        "key-options",
        "plot",
        Setup(x11_forwarding=True, key_prefix="no-X11-forwarding"),
        "X11 forwarding disabled by key options.",
    ),
    ("no-xauth", "bare", Setup(x11_forwarding=True), "No xauth program; cannot forward X11."),
]


@pytest.mark.parametrize(
    ("variant", "setup", "remark"), [row[1:] for row in REFUSALS], ids=[row[0] for row in REFUSALS]
)
def test_a_refused_display_is_an_answer_with_the_servers_reason(
    new_chroot_host: NewHost,
    desk: Desk,
    way: Preference,
    screen: Screen,
    variant: str,
    setup: Setup,
    remark: str,
) -> None:
    host = new_chroot_host("bookworm", variant, setup)
    line = desk.connect(desk.alias("host", host), way, x11=offer_of(screen))
    done = line.run(["sh", "-c", "echo ${DISPLAY:-none}"], x11=True)
    assert done.text == "none\n"
    assert line.x11.granted is False
    assert remark in line.x11.remarks if remark else True
    assert line.run(["echo", "still there"]).text == "still there\n"


def test_an_untrusted_cookie_that_cannot_be_made_leaves_the_command_running(
    x11_host: ChrootHost, desk: Desk, way: Preference, lab: object
) -> None:
    from tests.lab.screen import Screen

    with Screen(without=["SECURITY"]) as screen:
        line = desk.connect(desk.alias("host", x11_host), way, x11=offer_of(screen, trusted=False))
        assert line.run(["sh", "-c", "echo ${DISPLAY:-none}"], x11=True).text == "none\n"
        assert line.x11.granted is False
        assert "untrusted X11 forwarding setup failed" in " ".join(line.x11.remarks)


# -- choosing


def test_an_open_control_master_is_used_and_stays_open(chroot_host: SharedHost, desk: Desk) -> None:
    control = desk.folder / "cm"
    name = desk.alias("host", chroot_host(), f"ControlPath {control}")
    ssh = ["ssh", "-F", str(desk.config)]
    subprocess.run([*ssh, "-M", "-N", "-f", name], check=True, stderr=subprocess.DEVNULL)
    try:
        target = parse_target(name, SshOptions(config_file=str(desk.config)))
        with connect(target, prompter=Answers()) as line:
            assert (line.name, "ControlMaster" in line.reason) == ("openssh", True)
            assert line.run(["id", "-un"]).text == "ana\n"
            assert line.server_version is None
        check = subprocess.run([*ssh, "-O", "check", name], capture_output=True, check=False)
        assert check.returncode == 0
        with connect(target, prompter=Answers(), x11=X11Offer(":0")) as line:
            assert line.name == "paramiko"
    finally:
        subprocess.run([*ssh, "-O", "exit", name], check=False, capture_output=True)


def test_a_server_that_paramiko_cannot_talk_to_is_reached_by_ssh(
    new_chroot_host: NewHost, desk: Desk
) -> None:
    only_new = "KexAlgorithms sntrup761x25519-sha512@openssh.com\n"
    host = new_chroot_host("bookworm", "bare", Setup(files={"/etc/ssh/sshd_config.d/10-kex.conf": only_new}))
    name = desk.alias("host", host)
    target = parse_target(name, SshOptions(config_file=str(desk.config)))
    with connect(target, prompter=Answers()) as line:
        assert (line.name, "algorithm" in line.reason) == ("openssh", True)
        assert line.run(["true"]).ok
    with pytest.raises(ConnectError, match="algorithm"):
        desk.connect(name, "paramiko")


def test_a_master_does_not_outlive_a_killed_program(
    chroot_host: SharedHost, desk: Desk, tmp_path: Path
) -> None:
    import sys

    name = desk.alias("host", chroot_host())
    script = (
        "import sys, time\n"
        "from x11fwd.target import SshOptions, parse_target\n"
        "from x11fwd.transports.choose import connect\n"
        "from tests.hosts.test_transports import Answers\n"
        f"t = parse_target({name!r}, SshOptions(config_file={str(desk.config)!r}))\n"
        "line = connect(t, prompter=Answers(), choice='openssh')\n"
        "print(line._master.control, flush=True)\n"
        "time.sleep(60)\n"
    )
    repository = Path(__file__).parents[2]
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, cwd=repository, text=True
    )
    assert process.stdout is not None
    folder = Path(process.stdout.readline().strip()).parent
    assert folder.is_dir()
    process.kill()
    process.wait()
    deadline = time.monotonic() + 90
    while folder.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not folder.exists()
