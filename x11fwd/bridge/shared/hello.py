"""How each direction of a stream between the halves begins: a few lines of text; both halves use it.

Login files may talk before the remote half does, so everything up to the mark is skipped.
"""

from typing import Dict, NamedTuple, Optional, Tuple

from x11fwd.bridge.shared.faults import WireFault

VERSION = 1
_MARK = b"\nX11FWD-BRIDGE-HELLO\n"
NOISE_LIMIT = 1 << 16  # bytes before the mark
HELLO_LIMIT = 4096  # bytes from the mark to the empty line
LARGEST_WINDOW = 1 << 30


class Hello(NamedTuple):
    """What one half says of itself.

    `session` names the session of the stream; `received` is how many numbered frames of it came, more than 0
    only when a stream was lost; `window` is how many bytes of one connection may be under way to this half.
    """

    session: str
    received: int
    window: int
    packers: Tuple[str, ...]
    version: int = VERSION
    notes: Tuple[Tuple[str, str], ...] = ()  # for the dispatcher: names and values without blanks


def hello_bytes(hello: Hello) -> bytes:
    """What `HelloReader` reads."""
    lines = [
        "version %d" % hello.version,
        "session %s" % hello.session,
        "received %d" % hello.received,
        "window %d" % hello.window,
        "packers %s" % ",".join(hello.packers),
    ]
    lines += ["%s %s" % note for note in hello.notes]
    return _MARK + "\n".join(lines).encode("ascii") + b"\n\n"


class HelloReader:
    """Finds the hello in the first bytes of a stream."""

    def __init__(self) -> None:
        self._part = bytearray(b"\n")  # the mark may stand at the very start

    def feed(self, data: bytes) -> "Optional[Tuple[Hello, bytes]]":
        """The hello once it is complete, and the bytes behind it.

        Raises:
            WireFault: something else talks, or a half of another version.
        """
        self._part += data
        start = self._part.find(_MARK)
        if start < 0:
            if len(self._part) > NOISE_LIMIT:
                raise WireFault("the other half does not begin; instead came %s" % self.noise())
            return None
        if start > NOISE_LIMIT:
            raise WireFault("the other half begins too late; before it came %s" % self.noise())
        body = start + len(_MARK)
        end = self._part.find(b"\n\n", body, body + HELLO_LIMIT)
        if end < 0:
            if len(self._part) - body > HELLO_LIMIT:
                raise WireFault("the other half's hello does not end")
            return None
        hello = _read(bytes(self._part[body:end]))
        return hello, bytes(self._part[end + 2 :])

    def noise(self) -> str:
        """The start of what came before the mark, for a message: printable ASCII."""
        text = bytes(self._part[1:]).partition(_MARK)[0][:200].decode("ascii", "replace")
        return repr("".join(one if " " <= one <= "~" else " " for one in text).strip())


def _read(body: bytes) -> Hello:
    said: Dict[str, str] = {}
    for line in body.decode("ascii", "replace").split("\n"):
        name, _, value = line.partition(" ")
        said[name] = value
    try:
        version, received, window = (int(said.pop(name)) for name in ("version", "received", "window"))
        session, packers = said.pop("session"), said.pop("packers")
    except (KeyError, ValueError):
        raise WireFault("the other half's hello is incomplete") from None
    if version != VERSION:
        raise WireFault("the other half speaks version %d, this one %d" % (version, VERSION))
    if received < 0 or not 0 < window <= LARGEST_WINDOW:
        raise WireFault("the other half's hello has impossible numbers")
    names = tuple(name for name in packers.split(",") if name)
    return Hello(session, received, window, names, version, tuple(sorted(said.items())))
