"""`python -m x11fwd`."""

from __future__ import annotations

import sys

from x11fwd.cli import main

if __name__ == "__main__":
    sys.exit(main())
