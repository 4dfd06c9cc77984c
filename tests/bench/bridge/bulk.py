"""How many bytes of changing pixels a route carries when the link is no limit."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

from tests.bench.bridge.desk import THERE
from tests.bench.bridge.trial import Trial

if TYPE_CHECKING:
    from tests.bench.bridge.desk import Desk
    from tests.bench.bridge.links import Link, Route

CONTENTS = ("noise", "picture")


def bulk_trial(desk: Desk, link: Link, route: Route, content: str, seconds: float) -> Trial:
    """Put images for some seconds; `rate` is megabytes of pixels per second. The toolkit is the content."""
    trial = Trial("bulk", link.name, route.key, content)
    desk.move_to(link)
    before = desk.counts()
    try:
        command = desk.command(route, ["python3", f"{THERE}/bulk.py", content, str(seconds)])
        ran = desk.person.run(command, timeout=60 + 10 * seconds)
        said = json.loads(ran.stdout.strip().splitlines()[-1])
    except (subprocess.TimeoutExpired, IndexError, ValueError) as error:
        trial.failed = f"{error!r} {locals().get('ran')}"
    else:
        trial.values["rate"] = said["bytes"] / said["seconds"] / 1e6
        now = desk.counts()
        trial.values["share"] = (now.bytes_down - before.bytes_down) / said["bytes"]
    desk.wait_until_left()
    return trial
