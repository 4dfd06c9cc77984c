"""`x11fwd jupyter` on the command line: what it prints, its documents, its exit codes."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import TYPE_CHECKING

from rich.console import Console

from x11fwd.cli import main
from x11fwd.cli.jupyter_documents import list_document, open_document, stop_document
from x11fwd.pipeline.jupyter import Opened, Stopped
from x11fwd.pipeline.jupyter_session import NotebookServer, Ready
from x11fwd.ui.jupyter import show_end, show_servers, show_stopped

if TYPE_CHECKING:
    import pytest

LAB = NotebookServer(
    pid=4242,
    ticks=17,
    kind="JupyterLab",
    root="/home/ana",
    state="open",
    kernels=2,
    since="2026-01-02T03:04:05Z",
    active="2026-01-02T05:06:07.8Z",
    version="2.1",
    ours=True,
    socket=True,
    port=0,
)
BY_HAND = replace(LAB, pid=77, kind="Notebook", state="password", ours=False, socket=False, port=8888)
READY = Ready(LAB, "gpu1", "/lab", "s3cret", secure=False, password=False, started=True, warning="")


def test_list_and_stop_are_two_commands(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["jupyter", "--list", "--stop", "gpu1"]) == 2
    assert "`--list` and `--stop` are two commands" in capfd.readouterr().err


def test_the_documents_hold_the_same_as_the_table() -> None:
    document = list_document([LAB, BY_HAND])
    assert (document["schema"], document["ok"], document["exit_code"]) == ("x11fwd.jupyter/1", True, 0)
    first, second = json.loads(json.dumps(document))["servers"]
    assert (first["pid"], first["ours"], second["state"]) == (4242, True, "password")
    opened = open_document(READY, 40001)
    assert opened["address"] == "http://127.0.0.1:40001/lab?token=s3cret"
    stopped = stop_document(Stopped((LAB,), (BY_HAND,), ()))
    assert (stopped["ok"], stopped["exit_code"]) == (False, 1)


def test_the_table_fits_80_columns() -> None:
    text = io.StringIO()
    show_servers([LAB, BY_HAND], "gpu1", Console(file=text, width=80))
    lines = text.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    (row,) = [line for line in lines if "4242" in line]
    assert row.split()[:4] == ["JupyterLab", "/home/ana", "4242", "2"]
    assert row.split()[-1] == "x11fwd"
    assert "Notebook, password " in text.getvalue()


def test_the_end_says_that_the_server_goes_on_and_how_to_stop_it(capfd: pytest.CaptureFixture[str]) -> None:
    show_end(Opened(READY, 40001, by_person=True), "ana@gpu1")
    said = capfd.readouterr().err
    assert "JupyterLab on gpu1 goes on (pid 4242)" in said
    assert "`x11fwd jupyter --stop ana@gpu1` stops it" in said
    assert "s3cret" not in said
    show_end(Opened(READY, 40001, by_person=False), "ana@gpu1")
    assert "has ended" in capfd.readouterr().err


def test_what_was_stopped_and_what_was_not_is_said(capfd: pytest.CaptureFixture[str]) -> None:
    show_stopped(Stopped((LAB,), (BY_HAND,), (replace(LAB, pid=5),)), "gpu1")
    said = capfd.readouterr().err
    assert "stopped JupyterLab in /home/ana (pid 4242)" in said
    assert "(pid 77) goes on, x11fwd did not start it; `--yes` stops it" in said
    assert "`kill -9 5`" in said
    show_stopped(Stopped((), (), ()), "gpu1")
    assert "no Jupyter server of yours runs on gpu1" in capfd.readouterr().err
