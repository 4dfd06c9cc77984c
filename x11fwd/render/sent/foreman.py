"""The foreman: hires workers, hands out figures, passes on what they drew; sent as text behind painting.py.

It speaks painting.py's frames with whoever started it; `J` comes first, and after the mark it says `H` what
is there (JSON). `X` means that nothing can be drawn at all. The end of its input ends it and its workers.

Workers are forked from a foreman who has loaded matplotlib and its fonts and has no threads; the module with
the function is loaded by each worker itself, since what it starts while loading may not survive a fork. On
macOS, where frameworks do not survive it either, each worker is a new Python.
"""

# Python 3.6 has no `from __future__ import annotations`; loading matplotlib may fail in any way.
# ruff: noqa: BLE001, PTH103, PTH109, PTH112, PTH118, PTH120, RUF005, SIM105, UP006, UP031, UP035, UP045, PERF203

import gc
import io
import json
import os
import select
import shutil
import signal
import subprocess  # noqa: TID251  runs elsewhere, nothing of ours is there
import sys
import tempfile
import time
from typing import Any, Dict, List, Optional, Tuple

from x11fwd.render.sent.painting import (
    HEAD,
    ID,
    frame,
    last_line,
    take,
    told,
    work,
    write_all,
)
from x11fwd.render.sent.shortcuts import install

AHEAD = 2  # figures that a worker holds: the one under way and the next
FULL = 32 * 1024 * 1024  # bytes that wait for the line; until they are fewer no worker is read
DEATHS = 5  # workers in a row that end before their first figure
LOADER = """
import os, sys
wanted, text = int(sys.argv[1]), b""
while len(text) < wanted:
    part = os.read(0, wanted - len(text))
    if not part:
        sys.exit(3)
    text += part
space = {"__name__": "x11fwd_render", "TEXT": text}
exec(compile(text, "x11fwd_render", "exec"), space)
sys.exit(space["main"](sys.argv[2:]))
"""
TEXT: bytes = globals().get("TEXT", b"")  # the loader's: this file, for workers that are a new Python


class Worker:
    def __init__(self, pid: int, source: int, sink: int, child: "Optional[subprocess.Popen[bytes]]") -> None:
        self.pid, self.source, self.sink, self.child = pid, source, sink, child
        self.data, self.out = bytearray(), bytearray()
        self.held: List[Tuple[int, bytes]] = []
        self.since = time.monotonic()
        self.ready = False
        self.late = False
        os.set_blocking(sink, False)

    def give(self, number: int, task: bytes) -> None:
        if not self.held:
            self.since = time.monotonic()
        self.held.append((number, task))
        self.out += task

    def end(self) -> int:
        """Kill it if need be; minus its signal, or its exit status."""
        for descriptor in (self.source, self.sink):
            os.close(descriptor)
        if self.child is not None:
            self.child.stdin = self.child.stdout = None
            return self.child.wait()
        status = os.waitpid(self.pid, 0)[1]
        return -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


class Foreman:
    def __init__(self, job: Dict[str, Any], source: int, sink: int) -> None:
        self.job, self.source, self.sink = job, source, sink
        self.fork = job["start"] == "fork" or (job["start"] == "auto" and sys.platform.startswith("linux"))
        self.workers: List[Worker] = []
        self.waiting: List[Tuple[int, bytes]] = []
        self.data, self.out = bytearray(), bytearray()
        self.deaths = 0
        self.open = True

    def hire(self) -> None:
        down, up = os.pipe(), os.pipe()
        child = None
        if self.fork:
            pid = os.fork()
            if pid == 0:
                status = 1
                try:
                    others = [fd for worker in self.workers for fd in (worker.source, worker.sink)]
                    for descriptor in [down[1], up[0], self.source, self.sink] + others:
                        os.close(descriptor)
                    status = work(down[0], up[1])
                finally:
                    os._exit(status)
        else:
            words = [sys.executable, "-c", LOADER, str(len(TEXT)), "worker"]
            child = subprocess.Popen(words, stdin=down[0], stdout=up[1])
            pid = child.pid
        os.close(down[0])
        os.close(up[1])
        worker = Worker(pid, up[0], down[1], child)
        if not self.fork:
            worker.out += TEXT
        worker.out += frame(b"J", json.dumps(self.job).encode("utf-8"))
        self.workers.append(worker)

    def say(self, data: bytes) -> None:
        self.out += data

    def hand_out(self) -> None:
        for depth in range(1, AHEAD + 1):
            for worker in self.workers:
                if self.waiting and len(worker.held) < depth:
                    worker.give(*self.waiting.pop(0))

    def turn(self) -> bool:
        """Wait for something and deal with it; False once there is nothing left to do."""
        self.hand_out()
        reads = [self.source] if self.open else []
        if len(self.out) < FULL:
            reads += [worker.source for worker in self.workers]
        watch = select.poll()
        for descriptor in reads:
            watch.register(descriptor, select.POLLIN)
        for worker in self.workers:
            if worker.out:
                watch.register(worker.sink, select.POLLOUT)
        # also where nothing is to be written: the line's end shows as an error
        watch.register(self.sink, select.POLLOUT if self.out else 0)
        ready = dict(watch.poll(self.patience()))
        if self.sink in ready:
            if not ready[self.sink] & select.POLLOUT:
                return False
            del self.out[: os.write(self.sink, bytes(self.out[: 1 << 16]))]
        if self.source in ready:
            part = read(self.source)
            if not part:
                return False
            self.data += part
            self.told()
        for worker in list(self.workers):
            if worker.sink in ready and worker.out:
                self.feed(worker)
            if worker.source in ready and not self.hear(worker):
                return False
        self.watch_clocks()
        return True

    def patience(self) -> Optional[int]:
        return 200 if self.job["limit"] else None

    def watch_clocks(self) -> None:
        now = time.monotonic()
        for worker in self.workers:
            if len(self.out) >= FULL:
                worker.since = now  # what it draws waits for the line, and so does its clock
            over = self.job["limit"] and worker.ready and now - worker.since > self.job["limit"]
            # it may have drawn in time what we come to take late
            if over and worker.held and not worker.late and not (worker.data or waits(worker.source)):
                worker.late = True
                os.kill(worker.pid, signal.SIGKILL)

    def told(self) -> None:
        while True:
            got = take(self.data)
            if got is None:
                return
            self.waiting.append((ID.unpack_from(got[1])[0], frame(*got)))

    def feed(self, worker: Worker) -> None:
        try:
            del worker.out[: os.write(worker.sink, bytes(worker.out[: 1 << 16]))]
        except OSError:
            worker.out.clear()  # it is dead, which reading from it will tell

    def hear(self, worker: Worker) -> bool:
        part = read(worker.source)
        if not part:
            return self.bury(worker)
        worker.data += part
        while True:
            got = take(worker.data)
            if got is None:
                return True
            kind, body = got
            if kind == b"X":
                self.say(frame(kind, body))
                self.flush()
                return False
            if kind == b"R":
                worker.ready, worker.since = True, time.monotonic()
                continue
            self.deaths = 0
            worker.held.pop(0)
            worker.since = time.monotonic()
            self.say(frame(kind, body))

    def bury(self, worker: Worker) -> bool:
        """A worker has ended: its figure is lost, what it was to draw next goes to another one."""
        try:
            # one that closed its pipes and goes on would be waited for without end; the dead are not hurt
            os.kill(worker.pid, signal.SIGKILL)
        except OSError:
            pass
        status = worker.end()
        self.workers.remove(worker)
        if worker.ready and worker.held:
            number = worker.held.pop(0)[0]
            self.say(told(b"F", {"why": fate(status, self.job["limit"] if worker.late else None)}, number))
        else:
            self.deaths += 1
        self.waiting[:0] = worker.held
        if self.deaths >= DEATHS:
            why = f"a worker ended while it loaded the function: {fate(status, None)}"
            self.say(told(b"X", {"why": why}))
            self.flush()
            return False
        self.hire()
        return True

    def flush(self) -> None:
        os.set_blocking(self.sink, True)
        write_all(self.sink, bytes(self.out))
        self.out.clear()

    def close(self) -> None:
        for worker in self.workers:
            try:
                os.kill(worker.pid, signal.SIGKILL)
            except OSError:
                pass
        for worker in self.workers:
            worker.end()


def fate(status: int, limit: Optional[float]) -> str:
    if limit:
        return f"it was not drawn within {limit:g} s"
    if status == -signal.SIGKILL:
        return "the worker was killed (signal 9): often the system does that when memory is short"
    if status < 0:
        return "the worker was ended by signal %d" % -status
    return "the worker ended by itself with exit status %d" % status


def waits(descriptor: int) -> bool:
    watch = select.poll()
    watch.register(descriptor, select.POLLIN)
    return bool(watch.poll(0))


def read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 1 << 18)
    except OSError:
        return b""


def first_frame(source: int) -> Dict[str, Any]:
    data = b""
    while len(data) < HEAD.size or len(data) < HEAD.size + HEAD.unpack_from(data)[1]:
        # never beyond the first frame
        wanted = HEAD.size if len(data) < HEAD.size else HEAD.size + HEAD.unpack_from(data)[1]
        part = os.read(source, wanted - len(data))
        if not part:
            raise SystemExit(3)
        data += part
    return json.loads(data[HEAD.size :].decode("utf-8"))  # type: ignore[no-any-return]


def prepare(job: Dict[str, Any]) -> str:
    """Load matplotlib, make its font cache, draw once so that all is loaded; its version."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    if job["format"] == "png" and job["many"] and install():  # once, before workers are forked; it draws, too
        return str(matplotlib.__version__)
    figure = plt.figure()
    figure.add_subplot(1, 1, 1).set_title("x")
    figure.savefig(io.BytesIO(), format=job["format"])
    plt.close("all")
    return str(matplotlib.__version__)


def unpack(files: Dict[str, str]) -> str:
    """The user's modules, in a folder of their own that only this account can read."""
    folder = tempfile.mkdtemp(prefix="x11fwd-render-")
    for name, text in files.items():
        path = os.path.join(folder, *name.split("/"))
        if not os.path.isdir(os.path.dirname(path)):
            os.makedirs(os.path.dirname(path))
        with open(path, "wb") as file:
            file.write(text.encode("utf-8", "surrogateescape"))
    return folder


def oversee(mark: str, source: int, sink: int) -> int:
    job = first_frame(source)
    write_all(sink, mark.encode("ascii"))
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")  # the workers are the parallelism
    os.environ["MPLBACKEND"] = "Agg"
    os.environ["X11FWD_RENDER_WORKER"] = "1"
    folder = ""
    foreman = Foreman(job, source, sink)
    try:
        if job["files"]:
            folder = unpack(job["files"])
            job["path"] = [folder] + job["path"]
        if job["cwd"]:
            os.chdir(job["cwd"])
            job["path"].append(os.getcwd())
        version = prepare(job)
    except BaseException as error:
        write_all(sink, told(b"X", {"why": last_line(error), "python": sys.executable}))
        if folder:
            shutil.rmtree(folder, ignore_errors=True)
        return 1
    mine = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0  # macOS has none
    cores = mine or os.cpu_count() or 1
    count = job["workers"] or max(1, cores - 1)
    job["files"] = {}
    gc.collect()
    if hasattr(gc, "freeze"):
        gc.freeze()
    foreman.say(
        told(
            b"H", {"python": sys.version.split()[0], "matplotlib": version, "workers": count, "cores": cores}
        )
    )
    os.set_blocking(sink, False)
    try:
        for _ in range(count):
            foreman.hire()
        while foreman.turn():
            pass
    except (BrokenPipeError, ConnectionError):
        pass
    finally:
        # a second goodbye must not keep it from taking everything down
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        foreman.close()
        if folder:
            shutil.rmtree(folder, ignore_errors=True)
    return 0


def main(words: List[str]) -> int:
    """`foreman MARK` or `worker`; what the user's code prints goes to standard error."""
    source, sink = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    if words[0] == "worker":
        return work(source, sink)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    signal.signal(signal.SIGHUP, lambda *_: sys.exit(1))
    return oversee(words[1], source, sink)
