"""What ends a connection or the link: bytes that are not what was agreed; both halves raise it."""


class WireFault(Exception):
    """Bytes that break a protocol; the message says whose bytes, and what is wrong."""
