"""Who is let in to the viewer: token, Host, Origin, and the headers of every answer; the viewer's own."""

from __future__ import annotations

import hmac
import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["DOCUMENT_POLICY", "PAGE_POLICY", "PDF_POLICY", "PICTURE_POLICY", "Gate", "new_token"]

Headers = list[tuple[bytes, bytes]]

# Scripts and styles only as files from here; plotly sets style attributes on what it draws. `data:` and
# `blob:` pictures are what a chart is saved as.
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; "
    "img-src 'self' data: blob:; connect-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
# A page from a remote: an origin of its own that is nobody's, its own scripts, and no way to the network.
DOCUMENT_POLICY = (
    "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval' data: blob:; "
    "style-src 'unsafe-inline' data: blob:; img-src data: blob:; font-src data: blob:; "
    "media-src data: blob:; connect-src data: blob:; worker-src data: blob:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'; webrtc 'block'"
)
# An SVG opened by itself would be a page that runs scripts.
PICTURE_POLICY = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; "
    "frame-ancestors 'self'"
)

# Browsers show a PDF by a viewer of their own, which a sandbox would keep out.
PDF_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"

_ALWAYS: Headers = [
    (b"cache-control", b"no-store"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), usb=()"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-dns-prefetch-control", b"off"),
]


def new_token() -> str:
    """192 bits from the system, as 32 characters that need no quoting in an address."""
    return secrets.token_urlsafe(24)


class Gate:
    """Decides on a request by its headers and path alone.

    The token keeps out other users of this machine and pages that guess. Host keeps out pages that point a
    name of their own at 127.0.0.1 (DNS rebinding), Origin and Sec-Fetch-Site those that learned an address.
    """

    def __init__(self, token: str, port: int) -> None:
        self._token = token.encode("ascii")
        self._hosts = {f"127.0.0.1:{port}".encode(), f"localhost:{port}".encode()}
        if port == 80:  # browsers leave the usual port out
            self._hosts |= {b"127.0.0.1", b"localhost"}
        self._origins = {b"http://" + host for host in self._hosts}

    def lets_in(self, method: str, headers: Iterable[tuple[bytes, bytes]]) -> bool:
        """Whether the request may be one of our own page, or a person opening its address."""
        found: dict[bytes, list[bytes]] = {}
        for name, value in headers:
            found.setdefault(name.lower(), []).append(value)
        hosts, origins = found.get(b"host", []), found.get(b"origin", [])
        if method not in {"GET", "HEAD"} or len(hosts) != 1 or hosts[0].lower() not in self._hosts:
            return False
        if len(origins) > 1 or (origins and origins[0] not in self._origins):
            return False
        site = found.get(b"sec-fetch-site", [b"none"])[0]
        if site in {b"same-origin", b"none"}:
            return True
        # From elsewhere only as a whole page in a tab: a link in a mail, the file that `open_browser` writes.
        mode, dest = found.get(b"sec-fetch-mode", [b""])[0], found.get(b"sec-fetch-dest", [b""])[0]
        return mode == b"navigate" and dest == b"document"

    def inside(self, path: str) -> str | None:
        """What follows `/TOKEN` in the path; None without the right token, in the same time for all."""
        token, slash, rest = path.removeprefix("/").partition("/")
        right = hmac.compare_digest(token.encode("utf-8", "surrogateescape"), self._token)
        return slash + rest if right else None


def answer_headers(kind: str, policy: str, length: int | None) -> Headers:
    """The headers of an answer of this content type."""
    headers = [*_ALWAYS, (b"content-type", kind.encode()), (b"content-security-policy", policy.encode())]
    return headers if length is None else [*headers, (b"content-length", str(length).encode())]
