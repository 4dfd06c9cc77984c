"""`x11fwd ssh`: a drop-in for `ssh -X`; the cli's fast path imports it, so it loads almost nothing itself.

One call costs a Python, one `ssh -G` and one X11 handshake, the last two side by side. Where no window can
or may open, this process becomes ssh; else it stays as ssh's parent (`ssh.relay` says why).
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from x11fwd.pipeline.ssh import routes
from x11fwd.pipeline.ssh.command_line import WITH_ARGUMENT, CommandLine
from x11fwd.pipeline.ssh.decision import Screen, decide, passes_through

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, MutableMapping, Sequence

HELP = """\
Usage: x11fwd ssh [--via native|bridge|auto] [--nodes[=NAME]] [ssh options]
                  TARGET [command ...]

`ssh -X` that finds the display, chooses safe forwarding where the X server
has it, compresses on slow links, and says what ssh's X11 messages mean.

All options are ssh's own (`man ssh`). -X and -Y choose the kind of forwarding
as in ssh, -x switches it off, -v shows what x11fwd decided and why.

--nodes (or --nodes=NAME) lets jobs on the nodes of a cluster open windows, too:
the bridge's display is then at TARGET's own name (or NAME, or the IPv4 address
by which the nodes reach it), and who comes needs the cookie in your home.

  x11fwd ssh --nodes login -- srun python plot.py

  rsync -e 'x11fwd ssh' ...          GIT_SSH_COMMAND='x11fwd ssh' git ...
"""
_MISUSED = 255  # ssh's own exit status for its own errors
# Beside PATH: XQuartz, old macOS, old Unix, Homebrew and the BSDs.
_XAUTH_FOLDERS = ("/opt/X11/bin", "/usr/X11/bin", "/usr/X11R6/bin", "/usr/bin", "/usr/local/bin")
_MUTE_LEVELS = frozenset({"quiet", "fatal"})
_NO = frozenset({"no", "false"})


def main(argv: Sequence[str]) -> int:
    """Run `x11fwd ssh`; returns ssh's exit status, or does not return.

    Args:
        argv: the words after `x11fwd ssh`.
    """
    words, via, nodes = _own_options(argv)
    if words is None:
        os.write(1, HELP.encode())
        return 0
    if via not in {None, "native", "bridge", "auto"}:
        return _complain(f"--via {via} is not known; native, bridge and auto are")
    if nodes is not None and not routes.is_name(nodes):
        return _complain(f"--nodes={nodes} is no name of a computer and no IPv4 address")
    if nodes not in {None, "no"} and via == routes.NATIVE:
        return _complain("--nodes needs the bridge: leave out --via native")
    line = CommandLine(words)
    reason = passes_through(line)
    if reason is not None:
        _say_reasons(line, [f"plain ssh: {reason}"])
        return _become_ssh([], line, os.environ)
    try:
        return _with_display(line, via, nodes)
    except routes.ConfigError as error:
        return _complain(str(error))
    except KeyboardInterrupt as stop:
        from x11fwd.pipeline.ssh.relay import end_like

        return end_like(-getattr(stop, "number", 2))  # before ssh was there to take it; 2 is SIGINT


def _own_options(argv: Sequence[str]) -> tuple[tuple[str, ...] | None, str | None, str | None]:
    """The words without our long options, and those; None asks for help.

    They stand where ssh reads options: before the target and right behind it. It has no long ones itself.
    """
    words: list[str] = []
    via = nodes = None
    rest = list(argv)
    target = False
    while rest and rest[0] != "--":
        word = rest.pop(0)
        if not word.startswith("-") or word == "-":
            if target:
                rest.insert(0, word)
                break
            target = True
            words.append(word)
            continue
        if word == "--help" and not target:
            return None, via, nodes
        if word == "--via" or word.startswith("--via="):
            via = word[6:] if word != "--via" else rest.pop(0) if rest else ""
            continue
        if word == "--nodes" or word.startswith("--nodes="):
            nodes = word[8:] if word != "--nodes" else "yes"
            continue
        words.append(word)
        takes = next((at for at, letter in enumerate(word) if letter in WITH_ARGUMENT), 0)
        if 0 < takes == len(word) - 1 and not word.startswith("--") and rest:
            words.append(rest.pop(0))
    return (*words, *rest), via, nodes


def _with_display(line: CommandLine, via: str | None, nodes: str | None) -> int:
    environ: MutableMapping[str, str] = dict(os.environ)
    _tidy_descriptors()
    try:
        question = _ask_config(line.words, environ)
    except OSError:
        return _become_ssh([], line, environ)  # which says that there is none
    # From here to the answer ssh computes on another core; the imports below take as long.
    from x11fwd.pipeline.ssh import forewarning, relay
    from x11fwd.pipeline.ssh.quick_look import look

    display = environ.get("DISPLAY", "")
    seen = look(display, environ) if display else None
    config = _answer(question)
    if config is None:
        return _become_ssh([], line, environ)  # ssh will say in its own words what is wrong
    notes: list[str] = []
    if seen is not None:
        inner = _is_forwarded(display, environ)
        why = f"{display} is itself forwarded by ssh, which knows one cookie" if inner else ""
        screen = Screen(usable=True, security=seen.security and not inner, problem=why)
    else:
        screen = _find_display(environ, notes)
        # held open while ssh runs, see quick_look.Display
        seen = look(environ["DISPLAY"], environ) if screen.usable else None
    distance = _distance(config, environ)
    decision = decide(
        line,
        config,
        screen,
        xauth=_xauth(config, environ),
        master=_is_socket(config.get("controlpath", "none")),
        round_trip=distance,
    )
    decision.reasons[:0] = notes
    if screen.usable:
        from x11fwd.pipeline.ssh import route_of_host

        route, nodes = route_of_host.find(line, config, environ, via=via, nodes=nodes, round_trip=distance)
        decision.reasons.append(f"{route.way} route: {route.reason}")
        if route.way == routes.BRIDGE:
            _say_reasons(line, decision.reasons[-1:])
            forwarding = [one for one in decision.words if one != "-C"]
            asks = route_of_host.question(line, config, environ) if route.probes else None
            ended = _over_bridge(line, config, environ, screen, forwarding, asks=asks, nodes=nodes)
            if isinstance(ended, int):
                return ended
            decision.reasons[-1] = f"native route: {ended}"
            if (nodes or via == routes.BRIDGE) and not _is_mute(line, config):
                os.write(2, f"x11fwd: no bridge to this host: {ended}\r\n".encode())
    _say_reasons(line, decision.reasons)
    told = not _is_mute(line, config) and forewarning.forewarn(line, config, environ, screen)
    if _is_mute(line, config) or line.has("Eyf") or not environ.get("DISPLAY"):
        # Nothing could be explained: the messages are muted, go elsewhere, or are not about X11.
        return _become_ssh(decision.words, line, environ)
    argv = ["ssh", *decision.words, *line.words]
    try:
        made = relay.Relay(
            argv,
            environ,
            line.for_doctor(),
            explains=not told,
            shared=line.has("M") or config.get("controlmaster", "no") not in _NO,
            forced=config.get("requesttty") == "force",
            refused=lambda: _remember_refusal(config, environ),
        )
        return relay.end_like(made.run())
    except OSError:
        return _become_ssh(
            decision.words, line, environ
        )  # no pipe, no folder for it: explanations are a luxury


def _over_bridge(
    line: CommandLine,
    config: Mapping[str, str],
    environ: Mapping[str, str],
    screen: Screen,
    forwarding: list[str],
    *,
    asks: Callable[[], bool] | None,
    nodes: str,
) -> int | str:
    """The session's exit status, or why it has to be a native one."""
    from x11fwd.pipeline.ssh import bridge_route

    if line.has("XY") or line.setting("forwardx11trusted") is not None:
        trusted, why = config.get("forwardx11trusted") == "yes", "as the command line says"
    else:
        trusted = not screen.security
        why = "the X server has no SECURITY extension" if trusted else "the X server has SECURITY"
    _say_reasons(line, [f"bridge: {'' if trusted else 'un'}trusted, {why}"])
    return bridge_route.run(
        bridge_route.Call(
            line,
            config,
            environ,
            forwarding,
            lambda reason: _say_reasons(line, [reason]),
            trusted=trusted,
            asks=asks,
            nodes=nodes,
        )
    )


def _remember_refusal(config: Mapping[str, str], environ: Mapping[str, str]) -> None:
    """sshd does not forward X11: the next login asks whether the bridge may."""
    from x11fwd.pipeline.ssh import memory

    memory.remember(config.get("hostname", ""), config.get("port", ""), environ, granted=False)


def _tidy_descriptors() -> None:
    """As ssh does first of all (sanitise_stdfd and closefrom in ssh.c).

    A pipe of ours must not become a standard stream that the caller had closed, and a caller may wait for the
    end of a pipe that we hold without knowing.
    """
    for stream in (0, 1, 2):
        try:
            os.fstat(stream)
        except OSError:  # noqa: PERF203
            # takes the lowest number, which is this one, also for ssh and for a script in its place
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
    os.closerange(3, 1024)


def _is_mute(line: CommandLine, config: Mapping[str, str]) -> bool:
    return line.has("q") or config.get("loglevel", "").lower() in _MUTE_LEVELS


def _is_forwarded(display: str, environ: Mapping[str, str]) -> bool:
    """A display that sshd made here: the ssh it leads to knows one cookie, so another one is of no use."""
    host, _, number = display.rpartition(":")
    return bool(host) and "SSH_CONNECTION" in environ and not number.startswith("0")


def _find_display(environ: MutableMapping[str, str], notes: list[str]) -> Screen:
    """The long road: another display, XQuartz started, or the reason why there is none."""
    from x11fwd.pipeline.display import ensure_display

    ensured = ensure_display(environ)
    if ensured.display is None:
        if ensured.hangs:
            # for untrusted forwarding ssh runs `xauth generate`, which would wait for that server without end
            # (clientloop.c, client_x11_get_proto); without DISPLAY it logs in and forwards nothing
            environ.pop("DISPLAY", None)
        return Screen(usable=False, problem=ensured.reason)
    environ["DISPLAY"] = ensured.display
    if ensured.authority is not None:
        environ["XAUTHORITY"] = ensured.authority
    notes.append(ensured.reason)
    return Screen(usable=True, security=ensured.security)


def _ask_config(words: Sequence[str], environ: Mapping[str, str]) -> tuple[int, int]:
    """Start `ssh -G`; returns its process id and where its answer comes."""
    answer, tell = os.pipe()
    null = os.devnull
    child = os.posix_spawnp(
        "ssh",
        ["ssh", "-G", *words],
        environ,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, null, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_DUP2, tell, 1),
            (os.POSIX_SPAWN_OPEN, 2, null, os.O_WRONLY, 0),
        ],
    )
    os.close(tell)
    return child, answer


def _answer(question: tuple[int, int]) -> dict[str, str] | None:
    """Keyword and first value of each line of `ssh -G`; None where ssh refused."""
    child, answer = question
    data = b""
    while True:
        more = os.read(answer, 65536)
        if not more:
            break
        data += more
    os.close(answer)
    _, status = os.waitpid(child, 0)
    if status:
        return None
    config: dict[str, str] = {}
    for text in data.decode("utf-8", "surrogateescape").splitlines():
        keyword, _, value = text.partition(" ")
        config.setdefault(keyword, value)
    return config


def _xauth(config: Mapping[str, str], environ: Mapping[str, str]) -> str | None:
    wanted = config.get("xauthlocation", "")
    if wanted and os.access(wanted, os.X_OK):
        return wanted
    folders = (*environ.get("PATH", "").split(":"), *_XAUTH_FOLDERS)
    paths = (f"{folder}/xauth" for folder in folders if folder.startswith("/"))
    # ssh runs it through sh without quotes (client_x11_get_proto in clientloop.c)
    return next((path for path in paths if " " not in path and os.access(path, os.X_OK)), None)


def _is_socket(path: str) -> bool:
    if path in {"", "none"}:
        return False
    try:
        return os.stat(path).st_mode & 0o170000 == 0o140000  # noqa: PTH116  S_ISSOCK; pathlib costs 4 ms
    except OSError:
        return False


def _distance(config: Mapping[str, str], environ: Mapping[str, str]) -> float | None:
    """Seconds of round trip to the host, None where nobody knows."""
    from x11fwd.pipeline.ssh import link

    host, port = config.get("hostname", ""), config.get("port", "22")
    known = link.known_round_trip(host, port, environ)
    if known is not None:
        return known
    if host in {"localhost", "::1"} or host.startswith("127."):
        return None  # this machine, or the near end of a tunnel: its connect() would say nothing
    if config.get("proxyjump", "none") != "none" or config.get("proxycommand", "none") != "none":
        return None
    return link.measure_round_trip(host, port, environ)


def _say_reasons(line: CommandLine, reasons: Sequence[str]) -> None:
    if "v" in line.flags and not line.has("q"):
        os.write(2, "".join(f"x11fwd: {reason}\r\n" for reason in reasons).encode())


def _become_ssh(words: Sequence[str], line: CommandLine, environ: Mapping[str, str]) -> int:
    import signal

    for one in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(one, signal.SIG_DFL)  # Python ignores them, and ignored ones stay so in ssh
    try:
        os.execvpe("ssh", ["ssh", *words, *line.words], dict(environ))  # noqa: S606  no shell, on purpose
    except OSError as error:
        return _complain(f"ssh cannot be run: {error.strerror}")


def _complain(sentence: str) -> int:
    os.write(2, f"x11fwd: {sentence}\n".encode())
    return _MISUSED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
