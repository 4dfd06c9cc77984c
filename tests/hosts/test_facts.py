"""One probe on real hosts: every answer, absence and "could not look" there is, in one round trip."""

from __future__ import annotations

import os
import socket
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.lab.hosts import Setup
from tests.lab.reach import client_key
from tests.lab.runs import in_time, wait_for
from x11fwd.errors import UsageError
from x11fwd.facts.local import gather_local
from x11fwd.facts.model import MatplotlibFacts, PrivilegeKind, PythonKind, RemoteFacts, Unknown, known
from x11fwd.facts.remote import gather_remote
from x11fwd.facts.sshd_config import Connection, decide, read_lines
from x11fwd.target import SshOptions, parse_target
from x11fwd.transports.base import X11Offer
from x11fwd.transports.choose import Preference, connect
from x11fwd.x11.authority import find_cookie, read_authority
from x11fwd.x11.display import parse_display

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from tests.lab.host import Host
    from tests.lab.hosts import BootedHost, ChrootHost
    from tests.lab.screen import Screen
    from x11fwd.transports.base import HostKeyQuestion, Transport

    NewHost = Callable[..., ChrootHost]

NOPASSWD = "ana ALL=(ALL) NOPASSWD: ALL"


class Silent:
    """Nobody is there to be asked."""

    def accept_host_key(self, question: HostKeyQuestion) -> bool:
        raise AssertionError(question)

    def secret(self, prompt: str) -> str | None:
        raise AssertionError(prompt)

    def visible(self, prompt: str) -> str | None:
        raise AssertionError(prompt)

    def notice(self, text: str) -> None:
        del text


@dataclass
class Look:
    """Connects to a host and gathers."""

    folder: Path
    screen: Screen

    def connect(
        self, host: Host, user: str = "ana", *, x11: bool = True, way: Preference = "paramiko"
    ) -> Transport:
        known_hosts, config = self.folder / "known_hosts", self.folder / "config"
        known_hosts.write_text(host.known_hosts_line, encoding="utf-8")
        block = ["Host there", f"HostName {host.address}", f"Port {host.port}", f"User {user}"]
        block += [f"IdentityFile {client_key()}", "IdentitiesOnly yes", "GlobalKnownHostsFile /dev/null"]
        block += [f"UserKnownHostsFile {known_hosts}"]
        config.write_text("\n    ".join(block) + "\n", encoding="utf-8")
        target = parse_target("there", SshOptions(config_file=str(config)))
        return connect(target, prompter=Silent(), choice=way, x11=self.offer() if x11 else None)

    def offer(self) -> X11Offer:
        records = read_authority(self.screen.authority).records
        cookie = find_cookie(records, parse_display(self.screen.display), socket.gethostname())
        assert cookie is not None
        return X11Offer(
            self.screen.display,
            authority=str(self.screen.authority),
            xauth="/usr/bin/xauth",
            cookie=cookie.data,
        )

    def __call__(
        self,
        host: Host,
        user: str = "ana",
        *,
        x11: bool = True,
        python: str | None = None,
        way: Preference = "paramiko",
    ) -> RemoteFacts:
        with self.connect(host, user, x11=x11, way=way) as transport:
            before = transport.round_trips
            facts = gather_remote(transport, python=python)
            assert transport.round_trips - before <= 2
            return facts


@pytest.fixture
def look(tmp_path: Path, screen: Screen) -> Look:
    return Look(tmp_path, screen)


@pytest.fixture
def ready(new_chroot_host: NewHost) -> ChrootHost:
    """A host on which everything works, for tests that break one thing."""
    return new_chroot_host("bookworm", "plot", Setup(x11_forwarding=True))


def plots(facts: RemoteFacts) -> MatplotlibFacts:
    assert facts.python is not None
    assert isinstance(facts.python.matplotlib, MatplotlibFacts)
    return facts.python.matplotlib


def login(facts: RemoteFacts) -> Mapping[str, str]:
    assert not isinstance(facts.login_environment, Unknown), facts.login_environment
    return facts.login_environment


# -- what is there, and what is not


def test_on_a_bare_host_everything_missing_is_absent_and_nothing_is_unknown(
    look: Look, chroot_host: NewHost
) -> None:
    host = chroot_host("bookworm", "bare")
    facts = look(host, x11=False)
    assert (facts.user, facts.home.path, facts.shell) == ("ana", "/home/ana", "/bin/bash")
    assert (facts.system.os_id, facts.system.version_id, facts.system.init) == ("debian", "12", "none")
    assert facts.package_manager is not None
    assert not isinstance(facts.package_manager, Unknown)
    assert facts.package_manager.name == "apt"
    assert facts.privilege.kind is PrivilegeKind.SUDO_PASSWORD
    assert "sudo" in facts.groups
    assert facts.xauth.path is None
    assert facts.authority is not None
    assert not facts.authority.exists
    assert facts.remote_handshake is None
    assert facts.ssh_rc is None
    assert not facts.journal
    assert (facts.home.exists, facts.home.writable, facts.home.full) == (True, True, False)
    assert isinstance(facts.home.free_bytes, int)
    assert facts.home.free_bytes > 0
    python = facts.python
    assert python is not None
    assert (python.path, python.kind, python.version[:4]) == ("/usr/bin/python3", PythonKind.SYSTEM, "3.11")
    assert python.externally_managed
    assert python.tkinter is None
    assert python.tkinter_problem == "ModuleNotFoundError: No module named '_tkinter'"
    assert python.qt is None
    assert plots(facts).version is None
    assert facts.sshd.service == ("pid", str(host.sshd_pid()))
    assert known(facts.sshd.effective) is not None
    assert known(facts.sshd.effective)["x11forwarding"] == "no"  # type: ignore[index]
    assert facts.sshd.xauth_found is False


@pytest.mark.parametrize(
    ("suite", "matplotlib", "backend", "line"),
    [
        ("bullseye", "3.3", "TkAgg", "/etc/matplotlibrc"),
        ("bookworm", "3.6", "TkAgg", "/etc/matplotlibrc"),
        ("trixie", "3.10", "tkagg", None),
    ],
)
@pytest.mark.parametrize("way", ["paramiko", "openssh"])
def test_a_ready_host_opens_the_display_and_names_the_backend_and_why(
    look: Look,
    new_chroot_host: NewHost,
    suite: str,
    matplotlib: str,
    backend: str,
    line: str | None,
    way: Preference,
) -> None:
    host = new_chroot_host(suite, "plot", Setup(x11_forwarding=True))
    facts = look(host, way=way)
    assert facts.x11.granted is True
    assert facts.remote_handshake == "ok"
    assert facts.round_trip is not None
    assert facts.start_environment["DISPLAY"].startswith("localhost:")
    assert login(facts)["DISPLAY"] == facts.start_environment["DISPLAY"]
    assert facts.xauth.path == "/usr/bin/xauth"
    assert isinstance(facts.xauth.version, str)
    assert facts.authority is not None
    assert (facts.authority.exists, facts.authority.mode, facts.authority.owner) == (True, 0o600, "ana")
    assert isinstance(facts.authority.entries, tuple)
    assert facts.authority.entries[0].startswith(f"{facts.system.hostname}/unix:")
    found = plots(facts)
    assert found.version is not None
    assert found.version.startswith(matplotlib)
    assert found.backend == backend
    assert (found.rc_backend.file if found.rc_backend else None) == line
    assert (found.backend_wish is None) == (line is None)
    assert found.user_rc == "/home/ana/.config/matplotlib/matplotlibrc"
    assert found.user_rc_text is None
    code = "import matplotlib.pyplot as p; p.figure(); print(p.get_backend(), end='')"
    with look.connect(host, way=way) as transport:
        real = transport.run(["python3", "-c", code], x11=True)
    assert real.text.lower() == backend.lower(), real.error_text


def test_nothing_is_changed_by_looking(look: Look, ready: ChrootHost) -> None:
    look(ready)  # sshd's xauth writes the authority file, PAM its logs: once
    before = ready.snapshot()
    with look.connect(ready, x11=False) as transport:
        gather_remote(transport)
    changes = (
        [str(change) for change in ready.snapshot_changes(before)]
        if hasattr(ready, "snapshot_changes")
        else None
    )
    if changes is None:
        from tests.lab.snapshots import diff

        changes = [str(change) for change in diff(before, ready.snapshot())]
    assert [one for one in changes if "/var/log/" not in one and "/run/" not in one] == []


# -- rights


@pytest.mark.parametrize(
    ("user", "sudo", "kind"),
    [
        ("root", "", PrivilegeKind.ROOT),
        ("ana", NOPASSWD, PrivilegeKind.SUDO),
        ("ana", "", PrivilegeKind.SUDO_PASSWORD),
        ("ben", "", PrivilegeKind.SUDO_PASSWORD),
    ],
)
def test_the_rights_at_hand_are_told(
    look: Look, new_chroot_host: NewHost, user: str, sudo: str, kind: PrivilegeKind
) -> None:
    facts = look(new_chroot_host("bookworm", "bare", Setup(sudo=sudo)), user, x11=False)
    assert facts.privilege.kind is kind
    assert facts.privilege.evidence


def test_without_sudo_there_are_no_rights(look: Look, new_chroot_host: NewHost) -> None:
    host = new_chroot_host("bookworm", "bare")
    (host.root / "usr/bin/sudo").unlink()
    assert look(host, x11=False).privilege.kind is PrivilegeKind.NONE


def test_asking_for_rights_sends_no_mail(look: Look, new_chroot_host: NewHost) -> None:
    """sudo mails the administrator about users who are not in sudoers, and doctor is run often."""
    host = new_chroot_host("bookworm", "bare")
    host.write("/usr/sbin/sendmail", "#!/bin/sh\ncat >>/var/tmp/mail\n", mode=0o755)
    look(host, "ben", x11=False)
    assert not (host.root / "var/tmp/mail").exists()


# -- sshd


def test_a_booted_host_names_the_unit_that_owns_the_daemon(
    look: Look, booted_host: Callable[..., BootedHost]
) -> None:
    facts = look(booted_host("bookworm", "bare", Setup(sudo=NOPASSWD)), x11=False)
    assert facts.system.init == "systemd"
    assert facts.sshd.service == ("systemd", "ssh.service")
    assert facts.sshd.socket_unit is None
    assert facts.sshd.binary == "/usr/sbin/sshd"


@pytest.mark.parametrize("suite", ["bookworm", "trixie"])
def test_a_socket_activated_daemon_names_its_socket(
    look: Look, booted_host: Callable[..., BootedHost], suite: str
) -> None:
    facts = look(booted_host(suite, "bare", socket_activated=True), x11=False)
    assert facts.sshd.socket_unit == "ssh.socket"
    assert facts.sshd.service == ("systemd", "ssh.service")


def test_the_line_that_decides_is_named_even_without_rights(look: Look, new_chroot_host: NewHost) -> None:
    files = {
        "/etc/ssh/sshd_config.d/50-cloud-init.conf": "PasswordAuthentication yes\n\nX11Forwarding no\n",
        "/etc/ssh/sshd_config.d/99-mine.conf": "X11Forwarding yes\n",
    }
    facts = look(new_chroot_host("bookworm", "bare", Setup(x11_forwarding=True, files=files)), "ben")
    sshd = facts.sshd
    assert isinstance(sshd.config_file, str)
    assert not isinstance(sshd.files, Unknown)
    words = facts.start_environment["SSH_CONNECTION"].split()
    connection = Connection(facts.user, facts.groups, words[0], words[0], words[2], int(words[3]))
    decision = decide("x11forwarding", list(read_lines(sshd.config_file, sshd.files, sshd.globs)), connection)
    assert str(decision.line) == "/etc/ssh/sshd_config.d/50-cloud-init.conf:3"
    assert decision.certain
    assert not isinstance(sshd.effective, Unknown)
    assert sshd.effective["x11forwarding"] == "no"
    assert list(sshd.globs) == ["/etc/ssh/sshd_config.d/*.conf"]
    assert sshd.include_dirs == ("/etc/ssh/sshd_config.d/*.conf",)


@pytest.mark.parametrize("user", ["ana", "ben"])
def test_a_match_block_is_asked_about_for_this_user(look: Look, new_chroot_host: NewHost, user: str) -> None:
    setup = Setup(x11_forwarding=True, sshd_config="Match User ben\n    X11Forwarding no\n")
    facts = look(new_chroot_host("bookworm", "bare", setup), user, x11=False)
    assert not isinstance(facts.sshd.effective, Unknown)
    assert facts.sshd.effective["x11forwarding"] == ("no" if user == "ben" else "yes")


@pytest.mark.parametrize("user", ["ana", "ben"])
def test_a_broken_drop_in_is_quoted_and_not_taken_for_no(
    look: Look, new_chroot_host: NewHost, user: str
) -> None:
    host = new_chroot_host("bookworm", "bare", Setup(sudo=NOPASSWD))
    host.write("/etc/ssh/sshd_config.d/50-broken.conf", "X11Forward yes\n")
    sshd = look(host, user, x11=False).sshd
    assert "50-broken.conf: line 1: Bad configuration option: X11Forward" in sshd.problem
    assert isinstance(sshd.effective, Unknown)
    assert "does not accept its configuration" in sshd.effective.reason
    assert not isinstance(sshd.files, Unknown)


@pytest.mark.parametrize("sudo", ["", NOPASSWD])
def test_files_that_only_root_may_read_are_unknown_to_a_user_and_read_by_sudo(
    look: Look, new_chroot_host: NewHost, sudo: str
) -> None:
    """As on RHEL."""
    host = new_chroot_host("bookworm", "bare", Setup(x11_forwarding=True, sudo=sudo))
    (host.root / "etc/ssh/sshd_config").chmod(0o600)
    (host.root / "etc/ssh/sshd_config.d").chmod(0o700)
    sshd = look(host, x11=False).sshd
    if sudo:
        assert not isinstance(sshd.files, Unknown)
        assert known(sshd.effective) is not None
        assert sshd.unreadable == ()
    else:
        assert isinstance(sshd.files, Unknown)
        assert isinstance(sshd.effective, Unknown)
        assert "needs root" in sshd.effective.reason
        assert sshd.unreadable == ("/etc/ssh/sshd_config",)


def test_a_key_that_forbids_x11_leaves_no_display(look: Look, new_chroot_host: NewHost) -> None:
    setup = Setup(x11_forwarding=True, key_prefix="no-X11-forwarding")
    facts = look(new_chroot_host("bookworm", "plot", setup))
    assert facts.x11.granted is False
    assert any("X11 forwarding disabled by key options" in one for one in facts.x11.remarks)
    assert "DISPLAY" not in facts.start_environment
    assert facts.remote_handshake is None
    assert plots(facts).backend == "agg"


# -- the login


@pytest.mark.parametrize(
    "path", ["/bin/bash", "/bin/dash", "/bin/sh", "/usr/bin/zsh", "/usr/bin/fish", "/usr/bin/tcsh"]
)
def test_every_login_shell_gives_its_environment(look: Look, new_chroot_host: NewHost, path: str) -> None:
    host = new_chroot_host("bookworm", "shells", Setup(login_shell=path))
    posix = 'export MPLBACKEND="it\'s \\$5"\nPATH="$HOME/my bin:$PATH"; export PATH\n'
    for name in (".profile", ".bash_profile", ".zprofile"):
        host.write(f"/home/ana/{name}", posix, user="ana")
    host.write(
        "/home/ana/.login", 'setenv MPLBACKEND "it\'s "\\$5\nsetenv PATH "$HOME/my bin:$PATH"\n', user="ana"
    )
    host.write(
        "/home/ana/.config/fish/config.fish",
        'set -gx MPLBACKEND "it\'s \\$5"\nset -gx PATH "$HOME/my bin" $PATH\n',
        user="ana",
    )
    facts = look(host, x11=False)
    assert facts.shell == path
    assert login(facts)["MPLBACKEND"] == "it's $5"
    assert isinstance(facts.login_path, str)
    assert facts.login_path.startswith("/home/ana/my bin:")
    if not path.endswith("fish"):  # it reads config.fish for every command, and then becomes the command
        assert "MPLBACKEND" not in facts.start_environment


def test_noise_of_start_files_is_kept_and_does_no_harm(look: Look, ready: ChrootHost) -> None:
    noise = "echo 'Welcome to the cluster'\nprintf 'no newline'\nprintf '=rights\\troot\\n.'\n"
    ready.write("/home/ana/.bashrc", noise, user="ana")
    facts = look(ready)
    assert facts.noisy_login.startswith("Welcome to the cluster\nno newline")
    assert facts.privilege.kind is PrivilegeKind.SUDO_PASSWORD
    assert facts.remote_handshake == "ok"


@pytest.mark.parametrize(
    "swallow", ["exec cat /dev/null\n", "exec env -i sh\n", "exit 3\n", "kill -9 $$\n", "yes\n"]
)
def test_start_files_that_swallow_the_command_are_a_reason_at_once(
    look: Look, ready: ChrootHost, swallow: str
) -> None:
    ready.write("/home/ana/.profile", f"echo hello; sleep 900 &\n{swallow}", user="ana")
    facts = in_time(8, lambda: look(ready))
    assert facts.login_environment == Unknown(
        "bash did not come to run a command: a start file ends it or hangs"
    )
    assert facts.python is not None
    assert (facts.python.path, facts.python.found_by) == ("/usr/bin/python3", "login shell")
    assert facts.remote_handshake == "ok"


def test_start_files_that_hang_are_stopped_and_all_else_is_answered(
    new_chroot_host: NewHost, tmp_path: Path, screen: Screen
) -> None:
    """bash goes on where the program that it waited for is stopped: its environment is known after all."""

    def looked_at(hang: str, host: ChrootHost) -> None:
        host.write("/home/ana/.profile", f"sleep 900 &\n{hang}", user="ana")
        folder = tmp_path / str(host.port)
        folder.mkdir()
        facts = in_time(60, lambda: Look(folder, screen)(host))
        assert facts.remote_handshake == "ok"
        asleep = ["pgrep", "-u", "ana", "-x", "sleep"]
        wait_for(lambda: host.run(asleep).rc == 1, limit=90, what="the end of all that start files ran")

    hangs = ("sleep 600\n", "cat </dev/zero >/dev/null\n", "while :; do :; done\n")
    hosts = [new_chroot_host("bookworm", "plot", Setup(x11_forwarding=True)) for _ in hangs]
    with ThreadPoolExecutor(len(hangs)) as pool:  # each waits for the same 8 s
        for one in [pool.submit(looked_at, *both) for both in zip(hangs, hosts, strict=True)]:
            one.result()


def test_a_shell_without_a_login_is_a_reason(look: Look, new_chroot_host: NewHost) -> None:
    host = new_chroot_host("bookworm", "bare")
    passwd = host.root / "etc/passwd"
    with look.connect(host, x11=False) as transport:
        passwd.write_text(passwd.read_text().replace("/home/ana:/bin/bash", "/home/ana:/usr/sbin/nologin"))
        facts = gather_remote(transport)
    assert facts.login_environment == Unknown("the login shell is /usr/sbin/nologin")


def test_sshds_own_display_is_told_where_a_start_file_overwrote_it(look: Look, ready: ChrootHost) -> None:
    """F83: bash reads .bashrc for remote commands too, before anything of ours runs."""
    # a number of its own: chrooted hosts share one network, and with it the list of who listens
    ready.check(["usermod", "-u", "54321", "ana"])
    ready.check(["chown", "-R", "54321", "/home/ana"])
    ready.write("/home/ana/.bashrc", "export DISPLAY=nowhere:99\n", user="ana")
    facts = look(ready)
    assert facts.start_environment["DISPLAY"].startswith("localhost:")
    assert login(facts)["DISPLAY"] == "nowhere:99"
    assert facts.remote_handshake not in {"ok", None}


def test_the_authority_file_is_the_one_that_the_login_shell_names(look: Look, ready: ChrootHost) -> None:
    ready.write("/home/ana/.profile", "export XAUTHORITY=/home/ana/elsewhere\n", user="ana")
    facts = look(ready)
    assert facts.authority is not None
    assert (facts.authority.path, facts.authority.from_variable) == ("/home/ana/elsewhere", True)
    assert facts.remote_handshake == (
        "the connection was closed without an answer; /home/ana/elsewhere has no cookie for it"
    )


def test_an_ssh_rc_without_xauth_is_named(look: Look, ready: ChrootHost) -> None:
    ready.write("/home/ana/.ssh/rc", "true\n", user="ana")
    facts = look(ready)
    assert facts.ssh_rc == "/home/ana/.ssh/rc"
    assert isinstance(facts.remote_handshake, str)
    assert "no cookie" in facts.remote_handshake


# -- the home


def test_a_home_that_is_read_only_says_so(look: Look, ready: ChrootHost) -> None:
    ready.check(["mount", "--bind", "/home/ana", "/home/ana"])
    ready.check(["mount", "-o", "remount,ro,bind", "/home/ana"])
    facts = look(ready)
    assert facts.home.writable is False
    assert facts.home.full is False
    assert "Read-only file system" in facts.home.problem


def test_a_full_home_is_told_from_a_read_only_one(look: Look, ready: ChrootHost) -> None:
    ready.check(
        ["sh", "-c", "cp -a /home/ana /var/tmp/ana && mount -t tmpfs -o size=64k,mode=755 home /home/ana"]
    )
    ready.check(["sh", "-c", "cp -a /var/tmp/ana/. /home/ana && chown ana: /home/ana"])
    ready.check(["sh", "-c", "cat /dev/zero >/home/ana/full 2>/dev/null; true"])
    facts = look(ready, x11=False)
    assert facts.home.writable is False
    assert facts.home.full is True
    assert facts.home.free_bytes == 0
    assert "No space left" in facts.home.problem


def test_stale_locks_and_a_foreign_owner_of_the_authority_file_are_seen(
    look: Look, ready: ChrootHost
) -> None:
    ready.check(
        ["sh", "-c", "cd /home/ana && touch .Xauthority .Xauthority-c && ln .Xauthority-c .Xauthority-l"]
    )
    ready.check(["chmod", "600", "/home/ana/.Xauthority"])
    authority = look(ready, x11=False).authority
    assert authority is not None
    assert authority.locks == ("/home/ana/.Xauthority-c", "/home/ana/.Xauthority-l")
    assert (authority.owner, authority.writable) == ("root", False)
    assert authority.entries == Unknown("/home/ana/.Xauthority is not readable")


def test_an_authority_that_is_a_directory_is_one(look: Look, ready: ChrootHost) -> None:
    ready.check(["mkdir", "/home/ana/.Xauthority"])
    authority = look(ready, x11=False).authority
    assert authority is not None
    assert authority.is_directory


# -- the interpreters


def test_a_venv_that_the_login_activates_comes_first_and_the_system_is_listed(
    look: Look, ready: ChrootHost
) -> None:
    ready.check(["python3", "-m", "venv", "--without-pip", "/home/ana/work"], user="ana")
    ready.write("/home/ana/.profile", ". /home/ana/work/bin/activate\n", user="ana")
    facts = look(ready)
    assert [(one.path, one.kind, one.found_by) for one in facts.pythons] == [
        ("/home/ana/work/bin/python3", PythonKind.VENV, "login shell"),
        ("/usr/bin/python3", PythonKind.SYSTEM, "PATH"),
    ]
    venv = facts.pythons[0]
    assert (venv.prefix, venv.base_prefix) == ("/home/ana/work", "/usr")
    assert venv.tkinter is not None, "a venv sees its base's tkinter"
    assert not venv.externally_managed
    assert plots(facts).version is None, "and not its matplotlib"


def test_conda_pyenv_and_uv_are_told_apart(look: Look, new_chroot_host: NewHost) -> None:
    """Fakes made of the system's own interpreter: what counts is where they lie and what lies beside."""
    host = new_chroot_host("bookworm", "bare", Setup(x11_forwarding=True))
    make = """
    for place in miniforge3 .pyenv/versions/3.12.1 .local/share/uv/python/cpython-3.13.1-linux; do
        mkdir -p "$HOME/$place/bin" "$HOME/$place/lib"
        cp /usr/bin/python3.11 "$HOME/$place/bin/python3.11"
        ln -s /usr/lib/python3.11 "$HOME/$place/lib/python3.11"
        ln -s python3.11 "$HOME/$place/bin/python"; ln -s python3.11 "$HOME/$place/bin/python3"
    done
    mkdir "$HOME/miniforge3/conda-meta" "$HOME/.pyenv/shims"
    printf '#!/bin/sh\\n' >"$HOME/miniforge3/bin/conda"; chmod +x "$HOME/miniforge3/bin/conda"
    echo 3.12.1 >"$HOME/.pyenv/version"
    cd "$HOME/.pyenv/shims"
    printf '#!/bin/sh\\nexec %s "$@"\\n' "$HOME/.pyenv/versions/3.12.1/bin/python3" >python3
    chmod +x python3
    echo 'export PATH="$HOME/.pyenv/shims:$PATH:$HOME/miniforge3/bin"' >"$HOME/.profile"
    """
    host.check(["sh", "-ec", make], user="ana")
    facts = look(host, x11=False)
    assert [(one.path.removeprefix("/home/ana/"), one.kind) for one in facts.pythons] == [
        (".pyenv/shims/python3", PythonKind.PYENV),
        ("miniforge3/bin/python", PythonKind.CONDA),
        (".local/share/uv/python/cpython-3.13.1-linux/bin/python3", PythonKind.UV),
        ("/usr/bin/python3", PythonKind.SYSTEM),
    ]
    assert facts.pythons[1].tool == "/home/ana/miniforge3/bin/conda"
    assert facts.pythons[0].executable == "/home/ana/.pyenv/versions/3.12.1/bin/python3"
    named = look(host, x11=False, python="/home/ana/miniforge3/bin/python")
    assert [one.found_by for one in named.pythons[:2]] == ["--python", "login shell"]
    assert named.pythons[0].kind is PythonKind.CONDA


def test_a_python_that_cannot_be_meant_is_refused_before_anything_is_asked(
    look: Look, chroot_host: NewHost
) -> None:
    with look.connect(chroot_host(), x11=False) as transport:
        for python in ("", "-c", "python\n3"):
            with pytest.raises(UsageError):
                gather_remote(transport, python=python)


def test_the_users_own_matplotlibrc_and_variable_are_told_from_the_systems(
    look: Look, ready: ChrootHost
) -> None:
    text = "# mine\r\nlines.linewidth: 3\r\nbackend: svg # no\r\nbackend: TkAgg\r\n"
    ready.write("/home/ana/.config/matplotlib/matplotlibrc", text, user="ana")
    found = plots(look(ready))
    assert str(found.rc_backend) == "/home/ana/.config/matplotlib/matplotlibrc:4"
    assert found.user_rc_text == text
    assert found.backend == "TkAgg"
    ready.write("/home/ana/.profile", "export MPLBACKEND=Agg\n", user="ana")
    found = plots(look(ready))
    assert found.backend == "agg"  # as matplotlib 3.6 writes it
    assert found.backend_wish is not None
    assert (found.backend_wish[0], str(found.backend_wish[1])) == ("Agg", "$MPLBACKEND")
    assert str(found.rc_backend) == "/home/ana/.config/matplotlib/matplotlibrc:4"


# -- what it costs, and this machine's own side


def test_a_probe_costs_little_processor_time(look: Look, new_chroot_host: NewHost) -> None:
    """Everything together, as sh's own `times` counts it; about half a second on an idle machine."""
    host = new_chroot_host("bookworm", "plot", Setup(x11_forwarding=True))
    look(host)
    with look.connect(host) as transport:
        from x11fwd.facts.remote import probe_text

        text = probe_text() + b"times >&2\n"
        done = transport.run(["/bin/sh", "-s", "f00d"], stdin=text, x11=True)
    seconds = 0.0
    for word in done.error_text.split():
        minutes, _, rest = word.partition("m")
        seconds += int(minutes) * 60 + float(rest.rstrip("s"))
    print(f"{seconds:.2f} s of CPU")
    assert 0 < seconds < 1.5, done.error_text  # a loaded machine counts twice


def test_the_machine_with_the_screen_is_looked_at_in_one_question(screen: Screen) -> None:
    environ = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], **screen.env()}
    facts = gather_local(environ=environ)
    assert facts.handshake is not None
    assert facts.handshake.ok
    assert facts.server_kind == "xvfb"
    assert facts.security_extension is True
    assert facts.has_cookie is True
    assert facts.display in facts.display_candidates
    assert facts.xauth.path


@pytest.fixture
def second_screen(lab: object) -> Iterator[Screen]:
    del lab
    from tests.lab.screen import Screen as Made

    with Made(without=["SECURITY"]) as made:
        yield made


def test_a_server_without_security_says_so(second_screen: Screen) -> None:
    environ = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], **second_screen.env()}
    assert gather_local(environ=environ).security_extension is False
