"""The far half of `run`: takes the project, runs the script, speaks frames; the end of its text."""

# Python 3.6 has no `from __future__ import annotations`.

import json
import re
import signal
import socket
import sys
import zlib

from x11fwd.pipeline.run_there.line import GoneError, Line
from x11fwd.pipeline.run_there.places import Places, send_files, stamps
from x11fwd.pipeline.run_there.script import Run
from x11fwd.project.receive import Inflater, RefusedError, build


def sentence(error: BaseException) -> str:
    if isinstance(error, OSError):
        place = " (%s)" % error.filename if error.filename else ""
        return "%s%s" % (error.strerror or error, place)
    return str(error) or type(error).__name__


def serve(line: Line) -> int:
    line.say(
        b"H",
        python="%d.%d.%d" % sys.version_info[:3],
        executable=sys.executable or "",
        host=socket.gethostname(),
    )
    manifest = json.loads(zlib.decompress(line.expect(b"M")).decode("utf-8"))
    line.silence = float(manifest["silence"])
    entries = manifest["entries"]
    places = Places(re.sub("[^A-Za-z0-9_.-]", "_", manifest["name"]), bool(manifest["keep"]))
    try:
        sizes = {entry["content"]: entry["size"] for entry in entries if entry.get("content")}
        needed = [content for content in sorted(sizes) if not places.store.has(content, sizes[content])]
        line.say(b"N", needed=needed)
        inflater = Inflater(lambda: line.expect(b"C"))
        for content in needed:
            places.store.add(content, sizes[content], inflater.read)
        build(places.folder, entries, places.store)
        places.store.release()
        settings = json.loads(zlib.decompress(line.expect(b"S")).decode("utf-8"))
        before = stamps(places.folder, entries)
        run = Run(line, places, settings)
        try:
            line.say(b"Y", folder=places.folder)
            status = run.wait()
        except BaseException:
            run.signal(signal.SIGKILL)
            raise
        if run.gone:
            return 1
        if settings["fetch"]:
            send_files(line, places, settings, before)
        line.say(b"X", status=status)
    finally:
        places.close()
    line.send(b"U")
    return 0


def main() -> int:
    # It outlives these: it has a script to end and a folder to remove. They are not ignored: the script would
    # inherit that, and a Python that is started so takes no notice of Ctrl-C.
    for number in (signal.SIGHUP, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: None)

    def leave(_number: int, _frame: object) -> None:
        raise GoneError

    signal.signal(signal.SIGTERM, leave)
    line = Line()
    try:
        return serve(line)
    except GoneError:
        return 1
    except (RefusedError, OSError, MemoryError) as error:
        try:
            line.say(b"Q", problem=sentence(error))
        except GoneError:
            pass
        return 1
