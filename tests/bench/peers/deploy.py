"""The content of playbooks/default.yml for pyinfra, run as `pyinfra inventory deploy.py`."""

import io

from pyinfra.operations import apt, files, server  # type: ignore[import-not-found,unused-ignore]

apt.packages(
    name="Install xauth, Tk and matplotlib",
    packages=["xauth", "python3-tk", "python3-matplotlib"],
    no_recommends=True,
    _sudo=True,
)
files.put(
    name="Allow X11 forwarding",
    src=io.StringIO("X11Forwarding yes\n"),
    dest="/etc/ssh/sshd_config.d/00-x11fwd.conf",
    mode="644",
    _sudo=True,
)
files.directory(name="Make room for it", path=".config/matplotlib")
files.line(
    name="Choose matplotlib's backend",
    path=".config/matplotlib/matplotlibrc",
    line="^backend *:.*",
    replace="backend: TkAgg",
)
server.shell(
    name="Ask sshd what it would do",
    commands=["/usr/sbin/sshd -T | grep -q '^x11forwarding yes'"],
    _sudo=True,
)
