"""Small repositories of dummy packages for hosts of other families; used by tests of package managers.

Each carries a file of its own; `xauth` is a program that sshd can run, `tkinter` a module that imports.
"""

from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tests.lab.host import Host

PLACE = "/srv/repository"
# sshd writes `remove …` and `add …` to it and looks at nothing else (session.c, do_rc_files)
XAUTH = {"/usr/bin/xauth": "#!/bin/sh\ncat >/dev/null\n"}
_MODULES = "/usr/lib/python3/dist-packages"
TKINTER = {
    f"{_MODULES}/_tkinter.py": 'TK_VERSION = "8.6"\n',
    f"{_MODULES}/tkinter/__init__.py": 'class Tcl:\n    def eval(self, text):\n        return "8.6.13"\n',
    f"{_MODULES}/tkinter/filedialog.py": "",
}
_SHARED = {"/usr/bin", _MODULES}
_SPEC = """\
Name: dummies
Version: 1.0
Release: 1
Summary: Dummies
License: MIT
BuildArch: noarch
%description
Dummies.
%install
cp -a {place}/roots/. %{{buildroot}}/
"""
_SUBPACKAGE = """\
%package -n {name}
Summary: A dummy
AutoReqProv: no
%description -n {name}
A dummy.
%files -n {name}
{files}
"""


def contents(name: str, files: Mapping[str, str]) -> dict[str, str]:
    """What a package carries: a file of its own, and what it is needed for."""
    return {f"/usr/share/x11fwd-dummies/{name}": f"{name}\n", **files}


def rpm_repository(host: Host, packages: Mapping[str, Mapping[str, str]]) -> None:
    """A repository of rpm files, by rpmbuild and createrepo_c on the host itself."""
    spec = [_SPEC.format(place=PLACE)]
    for name, files in packages.items():
        for path, text in contents(name, files).items():
            host.write(f"{PLACE}/roots{path}", text, mode=0o755 if "/bin/" in path else 0o644)
        # folders that no other package has go with it, too
        own = {path.rpartition("/")[0] for path in contents(name, files)} - _SHARED
        lines = [*contents(name, files), *(f"%dir {folder}" for folder in sorted(own))]
        spec.append(_SUBPACKAGE.format(name=name, files="\n".join(lines)))
    host.write(f"{PLACE}/dummies.spec", "".join(spec))
    # Debian's rpm keeps its database in the home directory and wants --force-debian; theirs does neither
    host.write("/etc/rpm/macros", "%_dbpath /var/lib/rpm\n")
    host.write("/etc/popt", "rpm alias -e --erase --force-debian\n")
    build = f"rpmbuild -bb --define '_rpmdir {PLACE}/rpms' --define '_topdir /tmp/build' {PLACE}/dummies.spec"
    host.check(["sh", "-ec", f"{build} >/tmp/build.log 2>&1 || {{ cat /tmp/build.log >&2; exit 1; }}"])
    host.check(["sh", "-ec", f"createrepo_c -q {PLACE}/rpms; rm -rf /tmp/build* {PLACE}/roots"])


def pacman_repository(host: Host, packages: Mapping[str, Mapping[str, str]]) -> None:
    """A repository as repo-add(8) makes it, and the host's lists brought up to date with it."""
    database: dict[str, str] = {}
    # pacman -Q fails where nothing is installed, which no Arch is without
    for name, files in {**packages, "base": {}}.items():
        size = sum(len(text) for text in files.values())
        info = f"pkgname = {name}\npkgver = 1.0-1\npkgdesc = A dummy\narch = any\nsize = {size}\n"
        data = _tar({".PKGINFO": info, **contents(name, files)})
        host.write(f"{PLACE}/{name}-1.0-1-any.pkg.tar.gz", data)
        fields = {
            "FILENAME": f"{name}-1.0-1-any.pkg.tar.gz",
            "NAME": name,
            "VERSION": "1.0-1",
            "DESC": "A dummy",
            "CSIZE": str(len(data)),
            "ISIZE": str(size),
            "ARCH": "any",
        }
        database[f"{name}-1.0-1/desc"] = "".join(f"%{key}%\n{value}\n\n" for key, value in fields.items())
    host.write(f"{PLACE}/lab.db", _tar(database))
    host.check(["pacman", "-Sy", "--noconfirm", "base"])


def _tar(files: Mapping[str, str]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for folder in _folders(files):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(entry)
        for path, text in files.items():
            entry = tarfile.TarInfo(path.lstrip("/"))
            entry.size, entry.mode = len(text.encode()), 0o755 if "/bin/" in path else 0o644
            archive.addfile(entry, io.BytesIO(text.encode()))
    return out.getvalue()


def _folders(files: Iterable[str]) -> list[str]:
    found: dict[str, None] = {}
    for path in files:
        parts = path.lstrip("/").split("/")[:-1]
        for count in range(1, len(parts) + 1):
            found["/".join(parts[:count]) + "/"] = None
    return list(found)
