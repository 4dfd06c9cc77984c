"""How many bytes of one connection are under way in each direction; used by the link."""

from x11fwd.bridge.shared.faults import WireFault


class Flow:
    """Credit of one connection, both directions.

    `window` is what this side lets the other have under way, and so what it may have to keep.
    """

    def __init__(self, window: int, their_window: int) -> None:
        self._window = window
        self._here = 0  # came and is not consumed, or consumed and not yet told
        self._untold = 0  # consumed and not yet told
        self._their_window = their_window
        self.under_way = 0  # sent and not yet consumed over there

    def room(self) -> int:
        """Bytes that may be sent now; the window may have shrunk below what is under way."""
        return max(0, self._their_window - self.under_way)

    def their_window(self, window: int) -> None:
        """The other side said how much it takes."""
        self._their_window = window

    def sent(self, size: int) -> None:
        self.under_way += size

    def came(self, size: int) -> None:
        """Raises WireFault when the other side sends without credit."""
        self._here += size
        if self._here > self._window:
            raise WireFault("the other half sends more of a connection than it may")

    def credited(self, size: int) -> None:
        """Raises WireFault when the other side has consumed more than was sent."""
        if size > self.under_way:
            raise WireFault("the other half gives credit for bytes that it never got")
        self.under_way -= size

    def consumed(self, size: int) -> int:
        """Bytes that came have left this half: how many to tell now, in steps of a quarter of the window."""
        self._untold += size
        if self._untold < self._window // 4:
            return 0
        told, self._untold = self._untold, 0
        self._here -= told
        return told
