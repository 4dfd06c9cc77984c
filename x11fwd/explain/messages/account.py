"""What a login and its programs say of home, cookie and DISPLAY; imported by the table."""

from __future__ import annotations

from x11fwd.explain.message import row

__all__ = ["MESSAGES"]

_TOOLS = ("git fetch", "git pull", "git push", "git clone", "receiving incremental", "rsync ")

MESSAGES = (
    row(
        "timeout in locking authority file",
        ids={
            "xauthority-stale-lock": "a lock was left by an xauth that was killed; login took 20 s longer",
            "xauthority-is-a-directory": "or ~/.Xauthority is a directory",
        },
    ),
    row(
        "error in locking authority file",
        along=_TOOLS,
        ids={
            "forwardx11-for-all-hosts": "a tool that needs no window asked for X11: `Host *` says so",
            "home-read-only": "and the home cannot be written",
        },
    ),
    row(
        "error in locking authority file",
        along=("comm=xauth", "enforcing", "selinux"),
        ids={"selinux-blocks-xauth": "SELinux does not let xauth write there"},
    ),
    row(
        "error in locking authority file",
        ids={
            "home-read-only": "the home directory cannot be written",
            "home-missing": "or it is not there at all",
            "selinux-blocks-xauth": "or SELinux does not let xauth write there",
            "forwardx11-for-all-hosts": "where a tool prints it: `Host *` asks for X11 everywhere",
        },
    ),
    row(
        "unable to write authority file",
        ids={"home-full-or-quota": "the disk or your quota is full"},
    ),
    row(
        "not writable, changes will be ignored",
        ids={"xauthority-owned-by-root": "~/.Xauthority is not yours: an X program was run with sudo once"},
    ),
    row(
        "Could not chdir to home directory",
        ids={"home-missing": "the account's home directory is not there"},
    ),
    row(
        "No space left on device",
        "Disk quota exceeded",
        weak=True,
        ids={"home-full-or-quota": "nothing can be written, the cookie neither"},
    ),
    row(
        "#ffff#", weak=True, ids={"xauth-foreign-entries": "an entry that fits every display is found first"}
    ),
    row(
        "No DISPLAY variable set, cannot setup x11 forwarding",
        "x11_get_xauth: Could not retrieve magic cookie",
        ids={"slurm-no-x11": "the login had no X11, or no cookie for it"},
    ),
    row(
        "X11 forwarding not available",
        ids={"slurm-no-x11": "the site's Slurm forwards no X11; x11fwd ssh --nodes needs none of it"},
    ),
    row(
        "Ambiguous output redirect",
        "Illegal variable name",
        "fish: Unsupported use of =",
        "Unsupported use of =. In fish",
        ids={"login-shell-not-posix": "the login shell is csh or fish, and was given a line for sh"},
    ),
    row(
        "Received message too long {n}",
        "Ensure the remote shell produces no output for non-interactive sessions",
        ids={"noisy-start-files": "a start file prints something where a protocol is spoken"},
    ),
    row(
        "This user is not allowed access to the window system right now",
        ids={"remote-is-macos": "on a remote Mac windows open on that Mac's own screen"},
    ),
)
