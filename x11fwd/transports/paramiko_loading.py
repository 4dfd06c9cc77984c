"""Loads paramiko without what it only needs for an ssh_config of its own; whoever needs its transport.

paramiko.config imports `invoke`, which takes longer to load than all the rest of paramiko, for `Match exec`
in paramiko's own reading of ssh_config. Here `ssh -G` reads it, so that import is made to fail, which
paramiko.config takes as it takes an invoke that is not installed.
"""

from __future__ import annotations

import importlib
import sys
import threading

__all__ = ["load_paramiko"]

_ONE_AT_A_TIME = threading.Lock()


def load_paramiko() -> None:
    """Import the paramiko transport.

    Raises:
        ImportError: paramiko is missing or cannot be imported.
    """
    with _ONE_AT_A_TIME:
        absent = "invoke" not in sys.modules and "paramiko" not in sys.modules
        if absent:
            # the import system's own word for "there is no such module" (importlib, sys.modules)
            sys.modules["invoke"] = None  # type: ignore[assignment]
        try:
            importlib.import_module("x11fwd.transports.paramiko_transport")
        finally:
            if absent:
                sys.modules.pop("invoke", None)
