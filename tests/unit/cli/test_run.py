"""What `run` does once the script has ended."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from x11fwd.cli import main
from x11fwd.pipeline import run as pipeline
from x11fwd.pipeline.run import RunResult
from x11fwd.pipeline.run_session import Drawn

if TYPE_CHECKING:
    from pathlib import Path

    from x11fwd.pipeline.run import Ends


PICTURE = Drawn("1", 1, "Figure 1", "", "svg", 1, 0, b"<svg xmlns='http://www.w3.org/2000/svg'/>")


@pytest.mark.parametrize("inline", [True, False])
def test_ctrl_c_behind_the_end_of_the_script_leaves_its_exit_status(
    inline: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    if inline:
        pytest.importorskip("uvicorn")
    from x11fwd.ui import run as ui

    def run_script(_aim: object, _options: object, ends: Ends, *_rest: object, **_more: object) -> RunResult:
        ends.picture(PICTURE)
        return RunResult(3, notes=("no such file",))

    show = ui.show_run

    def interrupted(result: RunResult) -> None:
        show(result)
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(pipeline, "run_script", run_script)
    monkeypatch.setattr(ui, "show_run", interrupted)
    words = ["run", *(["--inline", "--no-browser"] if inline else []), "gpu1", str(tmp_path / "plot.py")]
    assert main(words) == 3
    shown = capfd.readouterr().err
    assert "no such file" in shown
    assert "interrupted" not in shown
    assert ("the pictures are at http" in shown) is inline
