"""Identity files: which public key a file holds, and signing with it; imported by the paramiko transport.

OpenSSH's own format shows the public key even of an encrypted file (PROTOCOL.key), so that a passphrase is
only asked for when the server would take the key. The mathematics is `cryptography`'s; paramiko brings it.
"""

from __future__ import annotations

import base64
import binascii
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from x11fwd.transports.agent import AgentError, read_string, write_string

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

__all__ = ["Identity", "Signer", "WrongPassphraseError", "read_identity", "unlock"]

_MAGIC = b"openssh-key-v1\0"


class WrongPassphraseError(Exception):
    """The passphrase does not open the file; never leaves the transports."""


@dataclass(frozen=True)
class Identity:
    """An identity file.

    Attributes:
        path: of the private key.
        blob: the public key, None where only the passphrase would tell (old PEM files without a `.pub`).
        encrypted: a passphrase is needed to sign.
        public_only: there is only the public half, which may name a key of the agent.
        problem: why it cannot be used, `""` if it can.
    """

    path: str
    blob: bytes | None = None
    encrypted: bool = False
    public_only: bool = False
    problem: str = ""

    @property
    def kind(self) -> str:
        return "" if self.blob is None else read_string(self.blob, 0)[0].decode("ascii", "replace")


def read_identity(path: str) -> Identity | None:
    """Look at an identity file without opening its secret; None where there is none.

    A public key stands for the agent's private one: named itself, or beside a missing file (ssh(1), -i).
    """
    try:
        info = Path(path).stat()
        data = Path(path).read_bytes()
    except OSError:
        beside = _public(f"{path}.pub")
        return None if beside is None else Identity(path, beside, public_only=True)
    public = _public(path)
    if public is not None:
        return Identity(path, public, public_only=True)
    # sshkey_perm_ok in authfile.c: only a file of one's own is checked
    if hasattr(os, "geteuid") and info.st_uid == os.geteuid() and stat.S_IMODE(info.st_mode) & 0o077:
        return Identity(path, problem=f"others may read {path}; ssh ignores such a key (`chmod 600 {path}`)")
    if b"-----BEGIN OPENSSH PRIVATE KEY-----" in data:
        return _read_openssh(path, data)
    encrypted = b"ENCRYPTED" in data  # `Proc-Type: 4,ENCRYPTED` or `BEGIN ENCRYPTED PRIVATE KEY`
    if b"PRIVATE KEY-----" not in data:
        return Identity(path, problem=f"{path} is no private key")
    blob = _public(f"{path}.pub")
    if blob is None and not encrypted:
        try:
            blob = Signer.load(path, None).blob
        except (WrongPassphraseError, ValueError):
            return Identity(path, problem=f"{path} cannot be read")
    return Identity(path, blob, encrypted)


def _read_openssh(path: str, data: bytes) -> Identity:
    broken = Identity(path, problem=f"{path} is damaged")
    body = data.partition(b"KEY-----")[2].partition(b"-----END")[0]
    try:
        raw = base64.b64decode(b"".join(body.split()), validate=True)
        if not raw.startswith(_MAGIC):
            return broken
        cipher, at = read_string(raw, len(_MAGIC))
        _, at = read_string(raw, at)  # kdf name
        _, at = read_string(raw, at)  # kdf options
        blob, _ = read_string(raw, at + 4)  # after the number of keys, always 1
    except (binascii.Error, ValueError, AgentError):
        return broken
    return Identity(path, blob, cipher != b"none")


def _public(path: str) -> bytes | None:
    """The key of a one-line public key file; None where it is none."""
    try:
        kind, text = Path(path).read_text("ascii", "replace").split()[:2]
        blob = base64.b64decode(text, validate=True)
        return blob if read_string(blob, 0)[0].decode("ascii", "replace") == kind else None
    except (OSError, binascii.Error, ValueError, AgentError):
        return None


def unlock(identity: Identity, passphrase: str | None) -> Signer:
    """Open an identity file.

    Raises:
        WrongPassphraseError: that is not its passphrase.
        ValueError: the file cannot be used at all.
    """
    return Signer.load(identity.path, passphrase)


class Signer:
    """An opened private key."""

    def __init__(self, key: PrivateKeyTypes) -> None:
        self._key = key

    @classmethod
    def load(cls, path: str, passphrase: str | None) -> Signer:
        """Read a file. Raises WrongPassphraseError, ValueError."""
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_ssh_private_key

        data = Path(path).read_bytes()
        secret = passphrase.encode() if passphrase is not None else None
        load = load_ssh_private_key if b"BEGIN OPENSSH PRIVATE KEY" in data else load_pem_private_key
        try:
            return cls(load(data, secret))
        except UnsupportedAlgorithm as error:
            raise ValueError(f"{path} holds a key of an unknown kind") from error
        except (TypeError, ValueError) as error:
            # cryptography tells a wrong passphrase from a damaged file by text only
            raise WrongPassphraseError(path) from error

    @property
    def blob(self) -> bytes:
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        line = self._key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
        return base64.b64decode(line.split()[1])

    def sign(self, data: bytes, algorithm: str) -> bytes:
        """The signature blob of RFC 4253 section 6.6, RFC 5656 section 3.1.2 and RFC 8332.

        Raises:
            ValueError: keys of this kind cannot be used.
        """
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
        from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

        if isinstance(self._key, ed25519.Ed25519PrivateKey):
            raw = self._key.sign(data)
        elif isinstance(self._key, rsa.RSAPrivateKey):
            digests = {"rsa-sha2-512": hashes.SHA512(), "rsa-sha2-256": hashes.SHA256()}
            digest: hashes.HashAlgorithm = digests.get(algorithm, hashes.SHA1())  # noqa: S303  old servers
            raw = self._key.sign(data, padding.PKCS1v15(), digest)
        elif isinstance(self._key, ec.EllipticCurvePrivateKey):
            sizes = {256: hashes.SHA256(), 384: hashes.SHA384(), 521: hashes.SHA512()}
            r, s = decode_dss_signature(self._key.sign(data, ec.ECDSA(sizes[self._key.curve.key_size])))
            raw = _mpint(r) + _mpint(s)
        else:
            raise ValueError("keys of this kind cannot be used")  # noqa: TRY004
        return write_string(algorithm.encode()) + write_string(raw)


def _mpint(number: int) -> bytes:
    return write_string(number.to_bytes(number.bit_length() // 8 + 1, "big"))
