"""What this machine's ssh is asked about a target: how often, and what its answers come to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.checks.seen import healthy_local
from x11fwd.errors import UsageError
from x11fwd.facts.client_ask import ClientQuestions
from x11fwd.facts.model import Unknown
from x11fwd.target import parse_target
from x11fwd.transports.base import CommandResult
from x11fwd.transports.fake import Answer, Call, FakeTransport

if TYPE_CHECKING:
    from pathlib import Path

    from x11fwd.facts.client import ClientFacts

BASIC = "host gpu1\nuser ana\nhostname gpu1\nport 22\nloglevel DEBUG3\nxauthlocation /bin/sh\n"


BOTH = "forwardx11 yes\nforwardx11trusted yes\n"


class Ssh:
    """An ssh that answers as told; `asked` is what it was called with."""

    def __init__(self, path: Path, config: str = "", *, settings: str = "", stranger: str = "") -> None:
        self.path = path
        self.file = path / "config"
        self.file.write_text(config, encoding="utf-8")
        self.settings = settings
        self.stranger = stranger
        self.check = CommandResult(255)
        self.session: CommandResult | None = None
        self.local = FakeTransport([Answer(self.answer, ("ssh",))])

    def answer(self, call: Call) -> CommandResult:
        words = call.argv
        if "-O" in words:
            return self.check
        if "-X" in words:
            assert self.session is not None
            marks = words[-1].split("printf %s%s: ")[1].split()[:2]
            first, second = marks[0], marks[1].rstrip(";")
            body = self.session.stdout
            out = f"{first}{second}:".encode() + body + f"{second}{first}:0:".encode()
            err = f"{first}{second}:{second}{first}:".encode()
            return self.session if self.session.exit_status else CommandResult(0, out, err)
        if words[-1] == "unrelated.invalid":
            return CommandResult(0, (BASIC + self.stranger).encode())
        log = f"debug1: Reading configuration data {self.file}\n"
        for number, line in enumerate(self.file.read_text(encoding="utf-8").splitlines(), 1):
            if line.startswith("Host "):
                log += f"debug1: {self.file} line {number}: Applying options for gpu1\n"
        return CommandResult(0, (BASIC + self.settings).encode(), log.encode())

    def facts(self) -> ClientFacts:
        questions = ClientQuestions(parse_target("gpu1"), self.local, root=self.path)
        found = questions.facts(healthy_local())
        assert found is not None
        return found

    @property
    def asked(self) -> list[tuple[str, ...]]:
        return [call.argv for call in self.local.calls]


def test_where_nothing_is_said_about_x11_ssh_is_asked_once(tmp_path: Path) -> None:
    ssh = Ssh(tmp_path, "Host *\n  SendEnv LANG\n", settings="forwardx11 no\nforwardx11trusted yes\n")
    facts = ssh.facts()
    assert len(ssh.asked) == 1
    assert ssh.asked[0][:3] == ("ssh", "-vvv", "-G")
    assert (facts.forwards, facts.trusted, facts.timeout, facts.master) == (False, True, 1200, None)


def test_the_level_is_the_configured_one_and_not_that_of_our_own_question(tmp_path: Path) -> None:
    assert Ssh(tmp_path).facts().config.first("loglevel") == "INFO"
    assert Ssh(tmp_path, "LogLevel QUIET\n").facts().config.first("loglevel") == "QUIET"


def test_a_line_that_asks_for_x11_leads_to_the_question_about_a_stranger(tmp_path: Path) -> None:
    ssh = Ssh(tmp_path, "Host *\n  ForwardX11 yes\n", settings=BOTH, stranger="forwardx11 yes\n")
    assert ssh.facts().every_host is True
    assert len(ssh.asked) == 2
    named = Ssh(tmp_path, "Host gpu1\n  ForwardX11 yes\n", settings=BOTH)
    assert named.facts().every_host is False


def test_an_xauth_that_is_not_there_is_seen(tmp_path: Path) -> None:
    ssh = Ssh(tmp_path, settings="xauthlocation /nonexistent\n")
    assert ssh.facts().xauth_there is True  # the first value counts
    ssh = Ssh(tmp_path)
    ssh.local = FakeTransport([Answer(CommandResult(0, BASIC.replace("/bin/sh", "/nonexistent").encode()))])
    assert ssh.facts().xauth_there is False


def test_an_open_master_is_asked_for_a_session_with_x11(tmp_path: Path) -> None:
    control = tmp_path / "master"
    control.touch()
    place = tmp_path / "proc/77/environ"
    place.parent.mkdir(parents=True)
    place.write_bytes(b"HOME=/home/ana\0DISPLAY=:7\0")
    ssh = Ssh(tmp_path, settings=f"controlpath {control}\n")
    ssh.check = CommandResult(0, b"", b"Master running (pid=77)\r\n")
    ssh.session = CommandResult(0, b"localhost:10.0")
    master = ssh.facts().master
    assert master is not None
    assert (master.pid, master.display, master.remote_display) == (77, ":7", "localhost:10.0")
    assert all(word in ssh.asked[-1] for word in ("ProxyCommand=false", "ControlMaster=no", "BatchMode=yes"))


def test_a_master_without_x11_and_one_that_is_full_are_told_apart(tmp_path: Path) -> None:
    control = tmp_path / "master"
    control.touch()
    ssh = Ssh(tmp_path, settings=f"controlpath {control}\n")
    ssh.check = CommandResult(0, b"", b"Master running (pid=77)\r\n")
    ssh.session = CommandResult(0, b"")
    plain = ssh.facts().master
    assert plain is not None
    assert plain.remote_display is None
    assert isinstance(plain.display, Unknown)  # there is no /proc/77
    words = b"mux_client_request_session: session request failed: Session open refused by peer\r\n"
    ssh.session = CommandResult(255, b"", words)
    full = ssh.facts().master
    assert full is not None
    assert full.refusal == "session request failed: Session open refused by peer"


def test_a_socket_that_nobody_listens_on_is_no_master(tmp_path: Path) -> None:
    control = tmp_path / "master"
    control.touch()
    assert Ssh(tmp_path, settings=f"controlpath {control}\n").facts().master is None


def test_a_configuration_that_ssh_refuses_is_said_in_its_own_words(tmp_path: Path) -> None:
    words = b"debug1: Reading configuration data /c\n/c line 3: Bad configuration option: x\ndebug2: match\n"
    questions = ClientQuestions(parse_target("gpu1"), FakeTransport([Answer(CommandResult(255, b"", words))]))
    with pytest.raises(UsageError, match="Bad configuration option"):
        questions.config()
    assert questions.config_if_any() is None
    assert questions.facts(healthy_local()) is None


def test_where_untrusted_x11_is_asked_for_the_cookie_is_really_made(tmp_path: Path) -> None:
    ssh = Ssh(tmp_path, settings="forwardx11 yes\nforwardx11trusted no\n")
    words = b'xauth: (argv):1:  couldn\'t query Security extension on display ":0"\n'
    ssh.local = FakeTransport(
        [Answer(CommandResult(1, b"", words), ("/bin/sh",)), Answer(ssh.answer, ("ssh",))]
    )
    untrusted = ssh.facts().untrusted
    assert isinstance(untrusted, str)
    assert "couldn't query Security extension" in untrusted
