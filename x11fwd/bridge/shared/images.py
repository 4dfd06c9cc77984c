"""PutImage coded as the difference to what was put there before, exact to the bit; both halves use it."""

from typing import TYPE_CHECKING, Optional, Union

from x11fwd.bridge.shared.faults import WireFault
from x11fwd.bridge.shared.wire import Request

if TYPE_CHECKING:
    from x11fwd.bridge.shared.setup import Setup


class ImageShelf:
    """The earlier images of all connections of one link."""

    def drop(self, connection: int) -> None:
        """The connection is over."""


class ImageCoder:
    """Codes the images of one program."""

    def __init__(self, shelf: ImageShelf, connection: int, setup: "Setup", order: str) -> None:
        del connection
        self._shelf = shelf

    def code(self, request: Request) -> "Optional[bytes]":
        """The PutImage coded, or None when it is to travel as it is."""
        del request
        return None


class ImageDecoder:
    """Makes requests of what the ImageCoder of the same connection coded."""

    def __init__(self, shelf: ImageShelf, connection: int) -> None:
        del connection
        self._shelf = shelf

    def decode(self, coded: "Union[bytes, memoryview]") -> bytes:
        """The very request.

        Raises:
            WireFault: this was not coded by an ImageCoder.
        """
        raise WireFault("the other half sends a coded image that is none")
