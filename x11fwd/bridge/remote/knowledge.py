"""What is known of the X server on the remote half, told by the local half; all programs of the display share it."""

from typing import Dict, Optional

from x11fwd.bridge.shared.majors import Majors


class Knowledge:
    """Facts in byte order `order`: exact requests and what the X server said to them."""

    def __init__(self, order: str) -> None:
        self.order = order
        self.majors = Majors()
        self.atoms: Dict[bytes, int] = {}
        self.atom_names: Dict[int, bytes] = {}
        self._facts: Dict[bytes, bytes] = {}
        self._topics: Dict[bytes, Dict[bytes, None]] = {}

    def fact(self, request: bytes) -> Optional[bytes]:
        """The reply to exactly this request, its sequence number left open; None when nobody knows."""
        return self._facts.get(request)

    def learn(self, topic: bytes, request: bytes, reply: bytes) -> None:
        """Remember a reply under a topic."""
        self._facts[request] = reply
        self._topics.setdefault(topic, {})[request] = None

    def forget(self, topic: bytes) -> None:
        """What was known under this topic may have changed."""
        for request in self._topics.pop(topic, {}):
            self._facts.pop(request, None)
