"""A cluster on this machine: a login host with Slurm's controller, and a compute node behind it; tests only.

The node is what diskless nodes are: it boots the login host's tree, with processes, a name, a network and
folders of its own (/tmp, /run, /var/log, /var/spool), and the homes of the cluster. Nothing leads to it but
the link from the login host. Both run the real munged, slurmctld or slurmd of Debian's packages.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from tests.lab.hosts import ChrootHost
from tests.lab.runs import LabError, wait_for

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Sequence
    from types import TracebackType

    from tests.lab.host import Ran
    from tests.lab.setup import Setup

ClusterT = TypeVar("ClusterT", bound="Cluster")

NODE = "node1"
NODE_PORT = 2222  # of the node's sshd
LOGIN_ADDRESS, NODE_ADDRESS = "10.77.0.1", "10.77.0.2"  # on the link between the two

SLURM_CONF = """ClusterName=lab
SlurmctldHost={login}({address})
SlurmUser=slurm
StateSaveLocation=/var/lib/slurm/slurmctld
SlurmdSpoolDir=/var/spool/slurmd
SlurmctldLogFile=/var/log/slurmctld.log
SlurmdLogFile=/var/log/slurmd.log
SlurmctldPidFile=/run/slurmctld.pid
SlurmdPidFile=/run/slurmd.pid
AuthType=auth/munge
# without cgroups; with linuxproc, Slurm refuses PrologFlags=X11
ProctrackType=proctrack/pgid
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
# a test may ask for more processors than there are
SlurmdParameters=config_overrides
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
MpiDefault=none
ReturnToService=2
SlurmdTimeout=0
# a busy machine answers late
TCPTimeout=60
MessageTimeout=100
KillWait=5
{more}
NodeName={node} NodeAddr={there} CPUs=64 State=UNKNOWN
PartitionName=all Nodes={node} Default=YES MaxTime=INFINITE State=UP
"""
MUNGED = """
    mkdir -p /run/munge /var/log/munge /var/lib/munge
    chown munge:munge /run/munge /var/log/munge /var/lib/munge
    chmod 755 /run/munge; chmod 700 /var/log/munge
    setpriv --reuid=munge --regid=munge --init-groups /usr/sbin/munged {more}
"""
# $1: a file for the node's first process, as the login host numbers it: /proc is still the login host's
NODE_START = """
    mkdir -p /var/log/{node}; exec >/var/log/{node}/start.log 2>&1
    read -r pid rest </proc/self/stat; echo "$pid" >"$1"
    hostname {node}
    mount -t proc proc /proc; mount -t sysfs sys /sys
    for folder in /tmp /run /var/spool; do mount -t tmpfs -o mode=755 tmp "$folder"; done
    chmod 1777 /tmp
    mount --bind /var/log/{node} /var/log
    mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts /dev/pts
    mount --bind /etc/hosts.{node} /etc/hosts
    until ip address add {there}/30 dev eth0 2>/dev/null; do sleep 0.05; done
    ip link set lo up; ip link set eth0 up
    mkdir /run/sshd /var/spool/slurmd
    {munged}
    /usr/sbin/slurmd
    exec /usr/sbin/sshd -D -o Port={port} -o ListenAddress={there} -o PidFile=none -E /var/log/sshd.log
"""
_NODE_PID = "/run/node1.pid"


class Cluster:
    """A context manager: `.login` is the host that people reach, `.on_node` looks at the other one.

    The lab's key opens the login host; everybody gets from there to the node by Slurm, ana by ssh as well.
    """

    def __init__(self, setup: Setup) -> None:
        self.login = ChrootHost("bookworm", "slurm", replace(setup, own_network=True))
        self._node: subprocess.Popen[bytes] | None = None
        try:
            self._start_node()
            self._start_slurm()
        except BaseException:
            self.stop()
            raise

    def _start_node(self) -> None:
        login = self.login
        name = login.hostname
        login.write(
            f"/etc/hosts.{NODE}", f"127.0.0.1 localhost\n{LOGIN_ADDRESS} {name}\n{NODE_ADDRESS} {NODE}\n"
        )
        login.check(["sh", "-c", f"printf '{NODE_ADDRESS} {NODE}\\n' >>/etc/hosts"])
        key = (
            "cd .ssh && ssh-keygen -q -t ed25519 -N '' -f id_ed25519 && cat id_ed25519.pub >>authorized_keys"
        )
        login.check(["su", "-", "ana", "-c", key])
        self.configure(restart=False)
        munged = MUNGED.format(more="")
        login.check(["sh", "-ec", munged])
        script = NODE_START.format(node=NODE, there=NODE_ADDRESS, port=NODE_PORT, munged=munged)
        alone = ["--net", "--uts", "--mount", "--pid", "--ipc", "--fork", "--kill-child"]
        self._node = login.popen(["unshare", *alone, "sh", "-ec", script, "sh", _NODE_PID])
        pid = login.root / _NODE_PID[1:]
        wait_for(lambda: pid.exists() and pid.read_text().strip() != "", limit=60, what="the node")
        number = pid.read_text().strip()
        link = f"ip link add {NODE} type veth peer name eth0 netns /proc/{number}/ns/net"
        up = f"ip address add {LOGIN_ADDRESS}/30 dev {NODE}; ip link set {NODE} up"
        login.check(["sh", "-ec", f"{link}; {up}"])

    def _start_slurm(self) -> None:
        self.login.check(["/usr/sbin/slurmctld"])
        idle = ["sinfo", "--noheader", "--format=%T"]
        ready = ["sh", "-c", f"ssh-keyscan -T 2 -p {NODE_PORT} {NODE} 2>/dev/null | grep -q ."]
        try:
            wait_for(lambda: self.login.run(ready).rc == 0, limit=60, what="the node's sshd", every=0.2)
            wait_for(lambda: self.login.run(idle).stdout.strip() == "idle", limit=60, what="Slurm", every=0.2)
        except LabError as error:
            raise LabError(f"{error}; what Slurm wrote:\n{self.logs()[-4000:]}") from error

    def configure(self, more: str = "", *, restart: bool = True) -> None:
        """Write slurm.conf with lines of the site's own, and let Slurm's daemons take it."""
        words = {"login": self.login.hostname, "address": LOGIN_ADDRESS, "node": NODE, "there": NODE_ADDRESS}
        self.login.write("/etc/slurm/slurm.conf", SLURM_CONF.format(more=more, **words))
        # the kind that is looked for nowhere until a job is to be held in it
        self.login.write("/etc/slurm/cgroup.conf", "CgroupPlugin=cgroup/v1\n")
        if restart:
            self.login.check(["scontrol", "reconfigure"])

    def on_node(self, argv: Sequence[str], user: str = "root") -> Ran:
        """Run a command on the node, past Slurm; a non-zero exit is data."""
        pid = (self.login.root / _NODE_PID[1:]).read_text().strip()
        enter = ["nsenter", "-t", pid, "-n", "-m", "-u", "-i", "-p", "--"]
        return self.login.run([*enter, "runuser", "-u", user, "--", *argv])

    def logs(self) -> str:
        """What Slurm's daemons have written, the node's at the end."""
        return self.login.run(["sh", "-c", f"cat /var/log/slurmctld.log /var/log/{NODE}/s*.log"]).stdout

    def stop(self) -> None:
        """End both."""
        if self._node is not None:
            self._node.kill()
        self.login.stop()
        if self._node is not None:
            self._node.wait(timeout=30)
            for stream in (self._node.stdin, self._node.stdout, self._node.stderr):
                if stream:
                    stream.close()

    def __enter__(self: ClusterT) -> ClusterT:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
