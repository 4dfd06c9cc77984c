"""paramiko is loaded without what it does not need here."""

from __future__ import annotations

import subprocess
import sys


def test_invoke_is_left_out_and_can_be_imported_afterwards() -> None:
    text = (
        "import sys\nfrom x11fwd.transports.paramiko_loading import load_paramiko\nload_paramiko()\n"
        "print('invoke' in sys.modules, 'paramiko' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]


def test_an_invoke_that_is_there_already_stays() -> None:
    text = (
        "import sys, types\nsys.modules['invoke'] = kept = types.ModuleType('invoke')\n"
        "from x11fwd.transports.paramiko_loading import load_paramiko\nload_paramiko()\n"
        "print(sys.modules['invoke'] is kept)\n"
    )
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"
