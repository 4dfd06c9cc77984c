"""Which key, password or code is tried next, against a server in the same process."""

from __future__ import annotations

import socket
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.unit.transports.login_server import Person, Rules, Served
from x11fwd.errors import AuthError
from x11fwd.transports.agent import Agent, AgentError, AgentKey
from x11fwd.transports.login import Candidate, candidates
from x11fwd.transports.private_keys import Identity, read_identity, unlock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def serve() -> Iterator[Callable[[Rules], Served]]:
    made: list[Served] = []

    def start(rules: Rules) -> Served:
        made.append(Served(rules))
        return made[-1]

    yield start
    for served in made:
        served.close()


def key(folder: Path, name: str = "id", passphrase: str = "", *words: str) -> Identity:
    path = folder / name
    subprocess.run(
        ["ssh-keygen", "-q", "-N", passphrase, "-C", "", "-f", str(path), *(words or ("-t", "ed25519"))],
        check=True,
    )
    identity = read_identity(str(path))
    assert identity is not None
    return identity


def test_the_first_open_key_is_offered_at_once(serve: Callable[[Rules], Served], tmp_path: Path) -> None:
    identity = key(tmp_path)
    rules = Rules(key=identity.blob or b"")
    serve(rules).login(Person(), [Candidate(identity=identity)])
    assert rules.tried == ["publickey?"]


def test_a_locked_key_is_asked_about_before_its_passphrase(
    serve: Callable[[Rules], Served], tmp_path: Path
) -> None:
    identity = key(tmp_path, passphrase="secret")
    person = Person(["wrong", "secret"])
    rules = Rules(key=identity.blob or b"")
    serve(rules).login(person, [Candidate(identity=identity)])
    assert person.asked == [f"Enter passphrase for key '{identity.path}': "] * 2
    assert rules.tried == ["publickey?", "publickey?"]


def test_a_locked_key_that_is_not_wanted_costs_no_question(
    serve: Callable[[Rules], Served], tmp_path: Path
) -> None:
    wanted, locked = key(tmp_path, "wanted"), key(tmp_path, "locked", "secret")
    person = Person()
    serve(Rules(key=wanted.blob or b"")).login(
        person, [Candidate(identity=locked), Candidate(identity=wanted)]
    )
    assert person.asked == []


def test_an_old_locked_file_without_its_public_half_has_to_be_opened_first(
    serve: Callable[[Rules], Served], tmp_path: Path
) -> None:
    identity = key(tmp_path, "old", "secret", "-t", "rsa", "-b", "2048", "-m", "PEM")
    blob = identity.blob
    assert blob is not None
    (tmp_path / "old.pub").unlink()
    hidden = read_identity(identity.path)
    assert hidden is not None
    assert (hidden.blob, hidden.encrypted) == (None, True)
    person = Person(["secret"])
    serve(Rules(key=blob)).login(person, [Candidate(identity=hidden)])
    assert len(person.asked) == 1


def test_an_empty_passphrase_leaves_the_key_out(serve: Callable[[Rules], Served], tmp_path: Path) -> None:
    identity = key(tmp_path, passphrase="secret")
    person = Person([""])
    with pytest.raises(AuthError, match="not let in"):
        serve(Rules(key=identity.blob or b"")).login(person, [Candidate(identity=identity)])
    assert len(person.asked) == 1


def test_nobody_to_unlock_a_key_is_said_so(serve: Callable[[Rules], Served], tmp_path: Path) -> None:
    identity = key(tmp_path, passphrase="secret")
    with pytest.raises(AuthError, match="nobody was there to give the passphrase"):
        serve(Rules(key=identity.blob or b"")).login(Person(), [Candidate(identity=identity)])


def test_batch_mode_asks_nothing(serve: Callable[[Rules], Served], tmp_path: Path) -> None:
    identity = key(tmp_path, passphrase="secret")
    person = Person(["secret"])
    with pytest.raises(AuthError):
        serve(Rules(key=identity.blob or b"")).login(person, [Candidate(identity=identity)], batchmode="yes")
    with pytest.raises(AuthError):
        serve(Rules(["password"])).login(person, batchmode="yes")
    assert person.asked == []


class FakeAgent:
    def __init__(self, *identities: Identity, broken: bool = False) -> None:
        self.identities = identities
        self.broken = broken

    def keys(self, timeout: float = 5.0) -> tuple[AgentKey, ...]:
        if self.broken:
            raise AgentError("the ssh agent does not answer")
        return tuple(AgentKey(identity.blob or b"", identity.path) for identity in self.identities)

    def sign(self, wanted: AgentKey, data: bytes, algorithm: str, timeout: float = 60.0) -> bytes:
        found = next(identity for identity in self.identities if identity.blob == wanted.blob)
        return unlock(found, None).sign(data, algorithm)


@pytest.mark.parametrize("kind", ["ed25519", "rsa", "ecdsa"])
def test_the_agent_signs(serve: Callable[[Rules], Served], tmp_path: Path, kind: str) -> None:
    identity = key(tmp_path, "id", "", "-t", kind)
    agent = FakeAgent(identity)
    keys, problem = candidates([], agent, identities_only=False)  # type: ignore[arg-type]
    assert problem == ""
    serve(Rules(key=identity.blob or b"")).login(Person(), keys)


def test_keys_are_offered_in_the_order_of_ssh(tmp_path: Path) -> None:
    both, file_only, agent_only = (key(tmp_path, name) for name in ("both", "file", "agent"))
    agent = FakeAgent(agent_only, both)
    keys, _ = candidates([file_only, both], agent, identities_only=False)  # type: ignore[arg-type]
    assert [candidate.blob for candidate in keys] == [both.blob, agent_only.blob, file_only.blob]
    keys, _ = candidates([file_only, both], agent, identities_only=True)  # type: ignore[arg-type]
    assert [candidate.blob for candidate in keys] == [both.blob, file_only.blob]


def test_a_dead_agent_does_not_stop_the_files(tmp_path: Path) -> None:
    identity = key(tmp_path)
    keys, problem = candidates([identity], FakeAgent(broken=True), identities_only=False)  # type: ignore[arg-type]
    assert [candidate.identity for candidate in keys] == [identity]
    assert "does not answer" in problem


SILENT = "the ssh agent at /run/agent was silent for 5 s, so its keys were left out"


def test_a_silent_agent_is_named_where_somebody_is_asked_instead(
    serve: Callable[[Rules], Served], tmp_path: Path
) -> None:
    person = Person(["a", "right"])
    serve(Rules(["password"])).login(person, agent=SILENT)
    assert person.notices == [f"T{SILENT[1:]}."]  # once
    identity = key(tmp_path, passphrase="secret")
    other = Person(["secret"])
    serve(Rules(key=identity.blob or b"")).login(other, [Candidate(identity=identity)], agent=SILENT)
    assert other.notices == person.notices


def test_a_silent_agent_is_not_mentioned_where_nobody_is_asked_for_anything(
    serve: Callable[[Rules], Served], tmp_path: Path
) -> None:
    identity, person = key(tmp_path), Person()
    serve(Rules(key=identity.blob or b"")).login(person, [Candidate(identity=identity)], agent=SILENT)
    assert person.notices == []


@pytest.mark.parametrize("batch", ["yes", "no"])
def test_a_login_that_fails_names_the_silent_agent_and_what_shows_it(
    serve: Callable[[Rules], Served], tmp_path: Path, batch: str
) -> None:
    locked = Candidate(identity=key(tmp_path, passphrase="secret"))
    rules = Rules(key=locked.blob or b"")
    with pytest.raises(AuthError, match=f"; {SILENT}$") as caught:
        serve(rules).login(Person(), [locked], agent=SILENT, batchmode=batch)
    assert "`ssh-add -l`" in caught.value.hint
    with pytest.raises(AuthError) as usual:
        serve(Rules(["password"])).login(Person(), batchmode=batch)
    assert "agent at" not in usual.value.message


def test_an_agent_that_is_not_there_is_no_problem_and_one_that_says_nothing_is(tmp_path: Path) -> None:
    path = tmp_path / "agent"
    assert candidates([], Agent(str(path)), identities_only=False) == ([], "")
    assert candidates([], Agent(f"{path}/below"), identities_only=False) == ([], "")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        assert candidates([], Agent(str(path)), identities_only=False) == ([], "")  # nobody listens any more
        listener.listen()
        with pytest.raises(AgentError, match=f"^the ssh agent at {path} was silent for 0.05 s$"):
            Agent(str(path)).keys(timeout=0.05)


def test_a_password_may_be_wrong_twice(serve: Callable[[Rules], Served]) -> None:
    person = Person(["a", "b", "right"])
    rules = Rules(["password"])
    serve(rules).login(person)
    assert rules.tried == ["none", "password-", "password-", "password+"]
    assert person.asked == ["ana@gpu1's password: "] * 3


def test_the_number_of_prompts_is_the_users(serve: Callable[[Rules], Served]) -> None:
    person = Person(["a", "b"])
    with pytest.raises(AuthError, match="the server offers: password"):
        serve(Rules(["password"])).login(person, numberofpasswordprompts="1")
    assert len(person.asked) == 1


def test_several_prompts_at_once_and_several_rounds(serve: Callable[[Rules], Served]) -> None:
    rounds = [[("Login: ", True, "ana"), ("Password: ", False, "pw")], [("Code: ", False, "123456")]]
    person = Person(["ana", "pw", "123456"])
    serve(Rules(["keyboard-interactive"], rounds=rounds)).login(person)
    assert person.asked == ["(ana@gpu1) Login: ", "(ana@gpu1) Password: ", "(ana@gpu1) Code: "]
    assert person.echoed == ["(ana@gpu1) Login: "]
    assert person.notices == ["Second factor", "Look at your phone"] * 2


def test_a_password_and_then_a_code(serve: Callable[[Rules], Served]) -> None:
    rules = Rules(["password", "keyboard-interactive"], rounds=[[("Code: ", False, "7")]])
    person = Person(["right", "7"])
    serve(rules).login(person, [])
    assert rules.tried == ["none", "password+", "keyboard-interactive+"]


def test_nobody_to_answer_a_code_is_said_so(serve: Callable[[Rules], Served]) -> None:
    with pytest.raises(AuthError, match="nobody was there to give the answer to 'Code:'"):
        serve(Rules(["keyboard-interactive"], rounds=[[("Code: ", False, "7")]])).login(Person())


def test_methods_that_are_switched_off_are_not_tried(serve: Callable[[Rules], Served]) -> None:
    person = Person(["right"])
    with pytest.raises(AuthError):
        serve(Rules(["password"])).login(person, passwordauthentication="no")
    with pytest.raises(AuthError):
        serve(Rules(["password"])).login(person, preferredauthentications="publickey")
    assert person.asked == []


def test_a_host_that_is_not_trusted_gets_no_password(serve: Callable[[Rules], Served]) -> None:
    person = Person(["right"])
    with pytest.raises(AuthError):
        serve(Rules(["password"])).login(person, may_type=False)
    assert person.asked == []


def test_the_banner_reaches_the_person(serve: Callable[[Rules], Served]) -> None:
    person = Person(["right"])
    serve(Rules(["password"], banner="Be nice.\n")).login(person)
    assert person.notices == ["Be nice.\n"]


def test_a_key_file_that_others_may_read_is_not_used(tmp_path: Path) -> None:
    identity = key(tmp_path)
    (tmp_path / "id").chmod(0o644)
    again = read_identity(identity.path)
    assert again is not None
    assert "chmod 600" in again.problem


def test_what_is_no_key_is_no_key(tmp_path: Path) -> None:
    for name, text in (("a", "hello"), ("b", "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END")):
        file = tmp_path / name
        file.write_text(text)
        file.chmod(0o600)
        found = read_identity(str(file))
        assert found is not None
        assert found.problem
    assert read_identity(str(tmp_path / "missing")) is None
