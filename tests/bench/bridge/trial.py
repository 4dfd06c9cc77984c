"""One plot over one route: first sight, frames, bytes, CPU and memory, all of the same run."""

from __future__ import annotations

import os
import statistics
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.bench.bridge.desk import THERE
from tests.bench.bridge.processes import PARTS
from tests.lab import runs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.bench.bridge.desk import Desk, Held, Script
    from tests.bench.bridge.links import Link, Route
    from tests.bench.bridge.pixels import Seen
    from tests.bench.bridge.processes import Use

LIMIT = 200.0  # seconds for a first plot
NO_BRIDGE = "no bridge to this host"  # what x11fwd says before it takes ssh's own forwarding


@dataclass
class Trial:
    """What one run of one program gave; seconds, kilobytes (1,000), megabytes.

    `kind` is plot, open (over a session that is open already), first (never on this host before), echo or
    bulk. `failed` says why values are missing.
    """

    kind: str
    link: str
    route: str
    toolkit: str
    values: dict[str, float] = field(default_factory=dict)
    failed: str = ""


@dataclass(frozen=True)
class Length:
    """How long the moving part is at most; no frames: the first plot is all."""

    frames: int = 150
    seconds: float = 6.0


def plot_trial(
    desk: Desk, link: Link, route: Route, toolkit: str, length: Length, kind: str = "plot"
) -> Trial:
    """Run programs/plot.py once and measure everything it has to show; a failure is in the result."""
    trial = Trial(kind, link.name, route.key, toolkit)
    desk.move_to(link)
    desk.eye.forget()
    script = desk.script()
    trial.values["load"] = os.getloadavg()[0]
    held = desk.hold(desk.command(route, ["python3", f"{THERE}/plot.py", toolkit, f"{THERE}/files"]))
    try:
        _measure(desk, script, held, trial, length, one_way=link.one_way)
    except (TimeoutError, runs.LabError) as error:
        script.order("quit")
        status, out, err = held.end(10)
        trial.failed = f"{error}\nstatus {status}\n{(out + err)[-1500:]}"
    if kind != "open":
        trial.values["end"] = desk.wait_until_left()
    return trial


def open_trial(desk: Desk, link: Link, route: Route, toolkit: str) -> Trial:
    """The first plot of a second session to the host while another one is open."""
    desk.move_to(link)
    first = desk.hold(desk.command(route, ["echo up; cat"]))
    first.begin()
    assert first.process.stdout
    assert first.process.stdin
    up = first.process.stdout.readline()
    trial = plot_trial(desk, link, route, toolkit, Length(0), "open")
    if up.strip() != b"up":
        trial.failed = f"the session before it: {up!r}"
    first.end(10)
    trial.values["end"] = desk.wait_until_left()
    return trial


def _measure(desk: Desk, script: Script, held: Held, trial: Trial, length: Length, *, one_way: float) -> None:
    values, before = trial.values, desk.relay.counts()
    begun = held.begin()
    values["plot"] = desk.eye.first_plot(LIMIT, held.is_alive) - begun
    counts = desk.relay.counts()
    values["plot up"] = (counts.bytes_up - before.bytes_up) / 1000
    values["plot down"] = (counts.bytes_down - before.bytes_down) / 1000
    values["plot turns"] = counts.turns - before.turns
    script.wait_for("ready", LIMIT, held)
    times = script.times()
    values["login"] = times["started"] - begun
    values["import"] = times["imported"] - times["started"]
    values["draw"] = times["drawn"] - times["imported"]
    values |= {f"start cpu {part}": use.cpu for part, use in desk.uses().items()}

    if length.frames:
        _move(desk, script, held, values, length)
    script.order("quit")
    if (ended := held.end(20 + 100 * one_way))[0] != 0:
        trial.failed = f"status {ended[0]}: {ended[2][-500:]}"
    if NO_BRIDGE in ended[2]:  # x11fwd went on without it
        trial.values.clear()
        trial.failed = ended[2][:500]


def _move(desk: Desk, script: Script, held: Held, values: dict[str, float], length: Length) -> None:
    counts, used = desk.counts(), desk.uses()
    move = script.order("move", length.frames, length.seconds)
    seen: list[Seen] = []
    begun = script.wait_for(f"began {move}", 30, held)
    desk.eye.follow(seen, _all_shown(desk, script, move, length.seconds + 60))
    frames = script.counted(move)
    if not seen or not frames:
        raise runs.LabError(f"no frame of {frames} was seen on the screen")
    times = script.times()
    values["fps drawn"] = frames / (times[f"done {move}"] - begun)
    values["fps"] = len(seen) / (seen[-1].at - begun)
    lags = [look.at - times[f"frame {look.number}"] for look in seen if f"frame {look.number}" in times]
    if lags:
        values["lag"] = statistics.median(lags)
        values["lag max"] = max(lags)
    values["seen share"] = len(seen) / frames
    _cost(values, "frame", used, desk.uses(), frames)
    now = desk.counts()
    values["frame down"] = (now.bytes_down - counts.bytes_down) / frames / 1000
    values["frame up"] = (now.bytes_up - counts.bytes_up) / frames / 1000

    same = script.order("same", min(length.frames, 30), length.seconds / 2)
    script.wait_for(f"done {same}", length.seconds + 60, held)
    counts, now = now, desk.counts()
    frames = max(1, script.counted(same))
    values["same down"] = (now.bytes_down - counts.bytes_down) / frames / 1000
    values["same up"] = (now.bytes_up - counts.bytes_up) / frames / 1000
    values |= {f"memory {part}": use.memory for part, use in desk.uses().items()}


def _all_shown(desk: Desk, script: Script, order: int, limit: float) -> Callable[[], bool]:
    """A condition: the program is done and its last frame is on the screen, or ``limit`` is over."""
    end = time.monotonic() + limit
    look, last = 0.0, -1

    def over() -> bool:
        nonlocal look, last
        now = time.monotonic()
        if last < 0 and now >= look:
            look = now + 0.2
            times = script.times()
            if f"done {order}" in times:
                last = max((int(name[6:]) for name in times if name.startswith("frame ")), default=0)
        return now > end or (last >= 0 and desk.eye.number() == last)

    return over


def _cost(
    values: dict[str, float], what: str, before: Mapping[str, Use], after: Mapping[str, Use], frames: int
) -> None:
    """CPU milliseconds of every part per frame."""
    for part in PARTS:
        values[f"{what} cpu {part}"] = 1000 * (after[part].cpu - before[part].cpu) / frames
