"""SELinux keeps xauth from the file it has to write (F69); for the table."""

from __future__ import annotations

import re
from shlex import quote

from x11fwd.checks.check import Seen, Verdict, bad, fine, skip
from x11fwd.checks.remote_user import remotely
from x11fwd.checks.report import Fix, FixBy
from x11fwd.facts.unknown import Unknown

# xauth_selinux(8): xauth_t may write files of its own type, which it makes in home directories of these types
_HOMES = frozenset({"user_home_dir_t", "admin_home_t"})
_FILES = frozenset({"xauth_home_t"})
_NETWORK = frozenset({"nfs_t", "cifs_t"})
_CONTEXT = re.compile(r"\s*(?P<context>[\w.-]+:[\w.-]+:(?P<type>\w+)\S*)\s+(?P<path>/.*?)\s*$")


def blocks_xauth(seen: Seen) -> Verdict:
    """F69: only where the cookie did not arrive, and a label is another one than the policy's."""
    remote = seen.there
    if remote.account.selinux is None:
        return fine(f"SELinux does not stand between xauth and its file on {seen.host}")
    if not remote.x11.granted:
        return skip("X11 was not granted, so there was no cookie to store")
    if remote.remote_handshake == "ok":
        return fine(f"SELinux on {seen.host} lets xauth write its file")
    if remote.remote_handshake is None or isinstance(remote.remote_handshake, Unknown):
        return skip("nobody could try whether the cookie is there")
    found = [match for match in map(_CONTEXT.match, remote.account.selinux) if match]
    home = next((one for one in found if one["path"].rstrip("/") == remote.home.path.rstrip("/")), None)
    file = next((one for one in found if one["path"].endswith("/.Xauthority")), None)
    if home is not None and home["type"] not in _HOMES:
        if home["type"] in _NETWORK and remote.account.selinux_nfs_homes:
            return fine(f"SELinux on {seen.host} allows home directories of the network")
        return _home(seen, home)
    if file is not None and file["type"] not in _FILES:
        return bad(
            f"SELinux on {seen.host} keeps xauth from {file['path']}, which has another label than it should",
            f"ls -Z: {file['context']}; xauth may write xauth_home_t",
            remotely(seen, f"restorecon -v {quote(file['path'])}"),
        )
    return fine(f"the labels of SELinux on {seen.host} let xauth write its file")


def _home(seen: Seen, home: re.Match[str]) -> Verdict:
    evidence = f"ls -Z: {home['context']} {home['path']}; xauth may write below user_home_dir_t alone"
    parent = home["path"].rstrip("/").rpartition("/")[0]
    command = f"sudo restorecon -Rv {quote(home['path'])}"
    if home["type"] in _NETWORK:
        evidence += "; use_nfs_home_dirs is off" if home["type"] == "nfs_t" else ""
        command = "sudo setsebool -P use_nfs_home_dirs on"
        if home["type"] == "cifs_t":
            command = "sudo setsebool -P use_samba_home_dirs on"
    elif parent not in {"", "/home"}:
        command = f"sudo semanage fcontext -a -e /home {quote(parent)} && sudo restorecon -R {quote(parent)}"
    title = f"SELinux on {seen.host} keeps xauth from your home directory, so no cookie is stored"
    return bad(title, evidence, Fix(command, FixBy.ADMIN))
