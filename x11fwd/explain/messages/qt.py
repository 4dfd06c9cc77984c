"""What Qt says when it has no display or half of its libraries; imported by the table. Qt 5.9 to 6.9."""

from __future__ import annotations

from x11fwd.explain.message import row

__all__ = ["MESSAGES"]

_LIBRARIES = "system libraries that Qt's xcb plugin needs are missing"

MESSAGES = (
    row(
        "Could not load the Qt platform plugin xcb in {x}cv2/qt/plugins",
        "cv2/qt/plugins even though it was found",
        ids={
            "opencv-qt-conflict": "opencv-python points Qt at its own plugins",
            "qt-plugin-libs": "or system libraries are missing",
        },
    ),
    row(
        "qt.qpa.xcb: could not connect to display",
        "QXcbConnection: Could not connect to display",
        ids={
            "qt-no-display": "Qt found no X server behind DISPLAY",
            "tmux-stale-display": "in tmux: DISPLAY is of an earlier login",
            "mpl-dead-display-agg": "matplotlib would have fallen back to Agg",
        },
    ),
    row(
        "xcb-cursor0 or libxcb-cursor0 is needed",
        ids={"qt-plugin-libs": "Qt 6.5 and later need one more library, libxcb-cursor0"},
    ),
    row(
        "Could not find the Qt platform plugin",
        "Could not load the Qt platform plugin wayland",
        "Could not load the Qt platform plugin offscreen",
        "This plugin does not support propagateSizeHints()",
        ids={
            "qt-platform-variable": "QT_QPA_PLATFORM names something that makes no window here",
            "qt-plugin-libs": _LIBRARIES,
        },
    ),
    row(
        "Could not load the Qt platform plugin",
        "Could not find or load the Qt platform plugin",
        "libqxcb.so",
        ids={
            "qt-plugin-libs": _LIBRARIES,
            "opencv-qt-conflict": "or opencv-python has pointed Qt at its own plugins",
            "qt-no-display": "or there is no display",
        },
    ),
    row(
        "no Qt platform plugin could be initialized",
        weak=True,
        ids={
            "qt-plugin-libs": _LIBRARIES,
            "qt-no-display": "or there is no display",
            "qt-platform-variable": "or QT_QPA_PLATFORM names something else",
        },
    ),
    row(
        "Could not initialize GLX",
        "QXcbConnection: XCB error: {n}",
        ids={"qt-glx": "Qt asks for GL through the forwarded display"},
    ),
)
