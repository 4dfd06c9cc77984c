"""`python -m x11fwd`, and where the command `x11fwd` begins."""

from __future__ import annotations

import sys

try:
    import signal
except KeyboardInterrupt:  # Python has just begun, and would show where
    sys.exit(130)


def main() -> int:
    """Run the command line that this process was started with, and return its exit code."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        # While the program loads Ctrl-C has nothing to take back, and ends it as it would any other.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from x11fwd.cli import main as run

    return run()


if __name__ == "__main__":
    sys.exit(main())
