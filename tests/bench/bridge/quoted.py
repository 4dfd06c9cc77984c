"""What other ways gave on 2026-11-20 by the same method on the same kind of machine; not measured again.

Client programs: Debian 12's xpra 3.1.3, TigerVNC 1.12.0, nxagent 3.5.99.26, WebAgg in chromium 156; all with
TkAgg's plot (WebAgg its own), OpenSSH 9.2 below.
"""

from __future__ import annotations

LINKS = ("0 ms", "20 ms", "50 ms", "100 ms", "200 ms", "50 ms, 10 Mbit/s", "100 ms, 2 Mbit/s")
NAMES = ("xpra", "TigerVNC", "WebAgg, browser running", "nxagent")

# measure -> name -> a value for each of LINKS
QUOTED: dict[str, dict[str, tuple[float, ...]]] = {
    "plot": {
        "xpra": (2.27, 2.35, 2.58, 3.01, 3.91, 2.59, 3.14),
        "TigerVNC": (0.66, 0.81, 0.97, 1.70, 3.20, 1.05, 1.96),
        "WebAgg, browser running": (0.78, 1.07, 1.39, 2.32, 3.97, 1.51, 2.65),
        "nxagent": (0.67, 1.60, 3.09, 5.82, 11.3, 3.09, 6.07),
    },
    "fps": {
        "xpra": (49.1, 41.5, 37.0, 33.1, 39.1, 36.8, 28.7),
        "TigerVNC": (61.7, 60.4, 53.3, 43.5, 20.2, 48.3, 9.08),
        "WebAgg, browser running": (51.8, 47.6, 51.5, 48.0, 51.0, 50.1, 13.3),
        "nxagent": (48.0, 33.7, 17.3, 9.28, 4.75, 16.3, 7.67),
    },
    # Of the last frame behind the end of drawing, not the median of all.
    "lag": {
        "xpra": (0.02, 0.04, 0.04, 0.06, 0.11, 0.05, 0.40),
        "TigerVNC": (0.01, 0.02, 0.04, 0.05, 0.16, 0.04, 0.25),
        "WebAgg, browser running": (0.01, 0.03, 0.04, 0.06, 0.11, 0.05, 8.49),
        "nxagent": (0.00, 0.03, 0.03, 0.08, 0.12, 0.04, 0.08),
    },
    # Per frame drawn; xpra and TigerVNC do not send all of them.
    "frame down": {
        "xpra": (6.2, 5.2, 4.2, 4.2, 4.3, 4.5, 3.5),
        "TigerVNC": (14.4, 13.1, 10.6, 8.3, 4.5, 10.1, 2.2),
        "WebAgg, browser running": (18.2, 18.2, 18.2, 18.2, 18.2, 18.2, 18.2),
        "nxagent": (24.8, 24.8, 24.8, 24.8, 24.8, 24.8, 24.8),
    },
    "plot down": {
        "xpra": (122, 123, 123, 123, 123, 123, 123),
        "TigerVNC": (43, 43, 43, 46, 46, 43, 46),
        "WebAgg, browser running": (77, 75, 75, 75, 75, 75, 75),
        "nxagent": (54, 53, 12, 16, 12, 12, 12),
    },
}
