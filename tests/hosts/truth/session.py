"""An open ssh session of a scene's person, made by the system's ssh; scripts run in it; rig.py makes them."""

from __future__ import annotations

import itertools
import shlex
import subprocess
import tempfile
from typing import TYPE_CHECKING

from tests.hosts.truth.diagnosis import Diagnosis
from tests.lab.host import Ran
from tests.lab.runs import LabError, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tests.hosts.truth.rig import Scene
    from tests.lab.terminal import Terminal

_NUMBERS = itertools.count(1)


class Session:
    """A login by `ssh OPTIONS ALIAS` whose shell takes scripts; a context manager that hangs up.

    Without `terminal` the login shell reads its commands from a pipe: start files of a login shell are read,
    those of an interactive one are not. With it, it is the interactive shell of a person at a terminal.
    """

    def __init__(
        self,
        scene: Scene,
        options: Sequence[str] = ("-Y",),
        *,
        alias: str = "gpu1",
        env: Mapping[str, str] | None = None,
        terminal: bool = False,
    ) -> None:
        self.scene = scene
        self.terminal: Terminal | None = None
        self.process: subprocess.Popen[bytes] | None = None
        person = scene.person.lab
        if terminal:
            self.terminal = person.pty(["ssh", "-tt", *options, alias], env=env, columns=200)
        else:
            self._err = tempfile.TemporaryFile()  # noqa: SIM115  close() closes it
            self.process = person.popen(
                ["ssh", "-T", *options, alias],
                env=env,
                stdout=subprocess.DEVNULL,
                stderr=self._err.fileno(),
            )

    def run(self, script: str, *, limit: float = 240) -> Ran:
        """Run POSIX shell text in the session, in a child of the login shell; waits for its end."""
        place = self.send(script)
        self._wait(place, limit)
        return self._ran(place)

    def doctor(self, wrap: str = "{doctor}", *words: str, limit: float = 240) -> Diagnosis:
        """`x11fwd doctor --json` on the host, in the session.

        Args:
            wrap: shell text in which `{doctor}` is the command, one path, so that `sudo -n {doctor}`,
                `su - ben -c {doctor}` and `tmux new-session -d {doctor}` all work. Its output goes to a file.
            words: further arguments of doctor.
        """
        place = f"/var/tmp/scene-{next(_NUMBERS)}-doctor"
        command = shlex.join(["x11fwd", "doctor", "--json", *words])
        self.scene.host.lab.write(
            place,
            f"#!/bin/sh\n({command}) </dev/null >{place}.out 2>{place}.err; echo $? >{place}.new\n"
            f"mv {place}.new {place}.rc\n",
            mode=0o755,
        )
        outer = self.send(wrap.replace("{doctor}", place))
        try:
            self._wait(place, limit, lambda: self._never_came(place, outer))
        except LabError as error:
            raise LabError(f"{error}\nthe wrap said: {self._ran(outer)}") from error
        return Diagnosis.of(self._ran(place))

    def send(self, script: str) -> str:
        """Start shell text in the session without waiting; the place where its ends will lie."""
        place = f"/var/tmp/scene-{next(_NUMBERS)}"
        text = f"({script}\n) </dev/null >{place}.out 2>{place}.err\n"
        text += f"echo $? >{place}.new; mv {place}.new {place}.rc\n"
        self.scene.host.lab.write(place, text, mode=0o755)
        self.type(f"/bin/sh {place}")
        return place

    def type(self, line: str) -> None:
        """Give the login shell a line of its own language: `export DISPLAY=:9`."""
        if self.terminal:
            self.terminal.send(f"{line}\r")
        elif self.process and self.process.stdin:
            self.process.stdin.write(f"{line}\n".encode())
            self.process.stdin.flush()

    def hang_up(self) -> None:
        """End the client by SIGKILL, as a laptop's lid does."""
        if self.process:
            self.process.kill()
            self.process.wait()
        if self.terminal:
            self.terminal.close()

    def close(self) -> None:
        """Log out; at once where the shell does not end by itself."""
        if self.process and self.process.stdin:
            self.process.stdin.close()
            try:
                self.process.wait(timeout=2)
            except subprocess.TimeoutExpired:
                self.hang_up()
            self._err.close()
        if self.terminal:
            self.terminal.close()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @property
    def words(self) -> str:
        """What ssh (on a terminal: everybody) has said so far."""
        if self.terminal:
            return self.terminal.output
        self._err.seek(0)
        return self._err.read().decode(errors="replace")

    def _never_came(self, place: str, outer: str) -> bool:
        """Whether the wrap failed before it ran its command."""
        failed = self.scene.host.read(f"{outer}.rc").strip() not in {"", "0"}
        return failed and not self.scene.host.path(f"{place}.out").exists()

    def _wait(self, place: str, limit: float, hopeless: Callable[[], bool] = lambda: False) -> None:
        done = self.scene.host.path(f"{place}.rc")

        def ended() -> bool:
            gone = self.process is not None and self.process.poll() is not None
            return done.exists() or gone or hopeless()

        try:
            wait_for(ended, limit=limit, what=f"the end of {place} in the session")
        except LabError as error:
            raise LabError(f"{error}; ssh said: {self.words}") from error
        if not done.exists():
            raise LabError(f"{place} did not run to its end; ssh said: {self.words}")

    def _ran(self, place: str) -> Ran:
        host = self.scene.host
        return Ran(int(host.read(f"{place}.rc") or -1), host.read(f"{place}.out"), host.read(f"{place}.err"))
