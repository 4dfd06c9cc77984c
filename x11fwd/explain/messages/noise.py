"""Lines that are harmless and taken for the cause; imported by the table."""

from __future__ import annotations

from x11fwd.explain.message import row

__all__ = ["MESSAGES"]

_ID = "noise-not-failure"

MESSAGES = (
    row(
        "missing on display",
        noise=True,
        ids={_ID: "untrusted and old X servers lack extensions; programs do without"},
    ),
    row("XDG_RUNTIME_DIR not set", noise=True, ids={_ID: "Qt makes itself another directory"}),
    row("Gtk-Message:", "Gtk-WARNING", noise=True, ids={_ID: "GTK misses a module that only looks nicer"}),
    row("dconf-WARNING", "dconf-CRITICAL", noise=True, ids={_ID: "settings are not saved, no more"}),
    row("Fontconfig warning", "Fontconfig error", noise=True, ids={_ID: "a font may look different"}),
    row(
        "xauth: file {x} does not exist",
        noise=True,
        ids={_ID: "xauth makes the file at its first use; it says so once"},
    ),
    row(
        "Couldn't register with accessibility bus",
        "Failed to connect to the bus",
        "MESA-LOADER: failed",
        "creating new authority file",
        noise=True,
        ids={_ID: "has nothing to do with the window"},
    ),
)
