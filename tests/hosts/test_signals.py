"""`kill` and a closed terminal at commands that talk to a host: they end, and all that is theirs."""

from __future__ import annotations

import signal
import subprocess
from typing import TYPE_CHECKING

from tests.lab.runs import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.lab.hosts import ChrootHost
    from tests.lab.person import Person

LOOK = "ls -d ~ana/.cache/x11fwd/runs/* /tmp/x11fwd-* 2>/dev/null; pgrep -u ana -af '[p]ython'; true"
DRAWS = """\
import matplotlib.pyplot as plt, time
plt.plot([1, 2])
plt.show()
print("shown", flush=True)
time.sleep(999)
"""


def test_a_run_that_is_killed_does_not_wait_for_who_looks_at_its_pictures(
    person: Person, chroot_host: Callable[..., ChrootHost]
) -> None:
    host = chroot_host("bookworm", "plot")
    alias = person.alias("gpu", host)
    person.write("draws.py", DRAWS)
    words = person.x11fwd("run", "--inline", "--no-browser", alias, "draws.py")
    process = person.popen(words, stdin=subprocess.DEVNULL)
    assert process.stdout is not None
    assert process.stdout.readline() == b"shown\n"
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=300)
    assert process.returncode == 130  # the script's, which Ctrl-C has ended
    assert b"KeyboardInterrupt" in err
    assert b"http://127.0.0.1:" in err
    assert b"until their page is closed" not in err
    assert person.processes() == []
    wait_for(lambda: host.run(["sh", "-c", LOOK]).stdout == "", limit=90, what="the end over there")
