"""The ssh-agent protocol's two questions: which keys, and sign this; imported by the paramiko transport.

Source: draft-ietf-sshm-ssh-agent (earlier draft-miller-ssh-agent), sections 3.5 and 3.6.
"""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass

__all__ = ["Agent", "AgentError", "AgentKey", "NoAgentError", "read_string", "write_string"]

_FAILURE = 5
_REQUEST_IDENTITIES, _IDENTITIES_ANSWER = 11, 12
_SIGN_REQUEST, _SIGN_RESPONSE = 13, 14
_FLAGS = {"rsa-sha2-256": 2, "rsa-sha2-512": 4}
_LARGEST = 256 * 1024  # AGENT_MAX_LEN in OpenSSH's authfd.c


class AgentError(Exception):
    """The agent is not there, does not answer, or refuses; never leaves the transports."""


class NoAgentError(AgentError):
    """Nobody is at its socket. Not worth a word, as SSH_AUTH_SOCK often outlives its agent."""


@dataclass(frozen=True)
class AgentKey:
    """A public key the agent can sign with; its type is the blob's first string."""

    blob: bytes
    comment: str

    @property
    def kind(self) -> str:
        return read_string(self.blob, 0)[0].decode("ascii", "replace")


class Agent:
    """A connection per question, so that a dead agent costs its time-out once and holds nothing open.

    Args:
        path: the agent's socket.
    """

    def __init__(self, path: str) -> None:
        self._path = path

    def keys(self, timeout: float = 5.0) -> tuple[AgentKey, ...]:
        """Every key, in the agent's order. Raises AgentError."""
        answer = self._ask(bytes([_REQUEST_IDENTITIES]), _IDENTITIES_ANSWER, timeout)
        count = int.from_bytes(answer[:4], "big")
        at, found = 4, []
        for _ in range(count):
            blob, at = read_string(answer, at)
            comment, at = read_string(answer, at)
            found.append(AgentKey(blob, comment.decode("utf-8", "replace")))
        return tuple(found)

    def sign(self, key: AgentKey, data: bytes, algorithm: str, timeout: float = 60.0) -> bytes:
        """The signature blob. The person may have to confirm or touch a token: hence the long limit."""
        flags = struct.pack(">I", _FLAGS.get(algorithm.removesuffix("-cert-v01@openssh.com"), 0))
        request = bytes([_SIGN_REQUEST]) + write_string(key.blob) + write_string(data) + flags
        return read_string(self._ask(request, _SIGN_RESPONSE, timeout), 0)[0]

    def _ask(self, request: bytes, expected: int, timeout: float) -> bytes:
        if not hasattr(socket, "AF_UNIX"):
            raise AgentError("this Python cannot talk to an ssh agent")
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                connection.settimeout(timeout)
                self._connect(connection)
                connection.sendall(write_string(request))
                size = int.from_bytes(_receive(connection, 4), "big")
                if not 1 <= size <= _LARGEST:
                    raise AgentError("the ssh agent answers with nonsense")
                answer = _receive(connection, size)
        except TimeoutError as error:
            raise AgentError(f"the ssh agent at {self._path} was silent for {timeout:g} s") from error
        except OSError as error:
            raise AgentError(f"the ssh agent at {self._path} does not answer: {error.strerror}") from error
        if answer[0] != expected:
            raise AgentError("the ssh agent refuses")
        return answer[1:]

    def _connect(self, connection: socket.socket) -> None:
        try:
            connection.connect(self._path)
        except (FileNotFoundError, NotADirectoryError, ConnectionRefusedError) as error:
            raise NoAgentError(f"there is no ssh agent at {self._path}") from error


def _receive(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = connection.recv(size - len(data))
        if not more:
            raise AgentError("the ssh agent closed the connection")
        data += more
    return data


def write_string(data: bytes) -> bytes:
    """A `string` of RFC 4251 section 5."""
    return struct.pack(">I", len(data)) + data


def read_string(data: bytes, at: int) -> tuple[bytes, int]:
    """The `string` at an offset, and the offset behind it. Raises AgentError."""
    size = int.from_bytes(data[at : at + 4], "big")
    end = at + 4 + size
    if len(data) < at + 4 or end > len(data):
        raise AgentError("an ssh string is cut short")
    return data[at + 4 : end], end
