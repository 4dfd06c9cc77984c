"""`x11fwd explain`: what a failure means, and which failure a message is about."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer.core import TyperCommand

from x11fwd.cli.job import Job
from x11fwd.cli.options import Json
from x11fwd.errors import UsageError

if TYPE_CHECKING:
    from x11fwd.pipeline.explain import Answer, Entry

__all__ = ["EXAMPLES", "ExplainCommand", "explain"]

EXAMPLES = """
\b
Examples:
  x11fwd explain F58                        a page, by its code or its id
  x11fwd explain "No xauth data; using fake authentication data"
  ssh -v -X gpu1 true 2>&1 | x11fwd explain
  x11fwd explain - < plot.log
  x11fwd explain -- python plot.py          run it, and explain its last words
  x11fwd explain --list | grep tmux
"""
_COMMAND = "x11fwd.command"  # where in typer's context the words behind `--` wait


class ExplainCommand(TyperCommand):
    """typer's parser takes `--` away; here it is what tells a command from a message."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        if "--" in args:
            at = args.index("--")
            ctx.meta[_COMMAND] = args[at + 1 :]
            args = args[:at]
        return super().parse_args(ctx, args)


def _ids() -> list[str]:
    from x11fwd.explain.pages import page_ids

    return list(page_ids())


def explain(
    context: typer.Context,
    what: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="ID|CODE|MESSAGE|-",
            help="A page's id or code, or a message, traceback or log; `-` reads standard input.",
            autocompletion=_ids,
            show_default=False,
        ),
    ] = None,
    listed: Annotated[bool, typer.Option("--list", help="List every page.")] = False,
    html: Annotated[
        Path | None,
        typer.Option(
            "--html", metavar="DIR", file_okay=False, help="Write the pages there as a small web site."
        ),
    ] = None,
    as_json: Json = False,
) -> Job:
    """Say what a failure or a message means, and the cure.

    Shows the page of a failure, or finds out which failures a pasted message, traceback or log may come from,
    likeliest first. Behind -- stands a command to run: it runs as always, and its last words are explained.
    """
    command = context.meta.get(_COMMAND)

    def run() -> int:
        words = list(what or ())
        asked = [bool(words), listed, html is not None, command is not None]
        if sum(asked) > 1:
            raise UsageError(
                "only one of a message, `--list`, `--html` and a command behind `--` can be meant",
                hint="`x11fwd explain --help` shows them all",
            )
        if listed:
            return _list(as_json=as_json)
        if html is not None:
            return _site(html, as_json=as_json)
        if command is not None:
            return _run(command, as_json=as_json)
        return _explain(words, as_json=as_json)

    return Job(run)


def _list(*, as_json: bool) -> int:
    from x11fwd.pipeline.explain import entries

    found = entries()
    if as_json:
        from x11fwd.cli.explain_documents import pages_document

        print(json.dumps(pages_document(found), indent=2))
        return 0
    from x11fwd.ui.console import answer_console
    from x11fwd.ui.explain import show_entries

    show_entries(found, answer_console())
    return 0


def _site(folder: Path, *, as_json: bool) -> int:
    from x11fwd.pipeline.explain import write_site

    number = write_site(folder)
    if as_json:
        from x11fwd.cli.explain_documents import site_document

        print(json.dumps(site_document(folder, number), indent=2))
    else:
        print(f"{number} pages: {folder / 'index.html'}")
    return 0


def _run(command: list[str], *, as_json: bool) -> int:
    if not command:
        raise UsageError("there is no command behind `--`", hint="`x11fwd explain -- python plot.py`")
    if as_json:
        raise UsageError("`--json` would stand in the command's own output", hint="leave out `--json`")
    from x11fwd.pipeline.explain import explain_command

    sys.stdout.flush()
    sys.stderr.flush()
    ran = explain_command(command)
    answer = ran.answer
    if answer.cause is None and (ran.exit_status == 0 or answer.noise):
        return ran.exit_status
    from x11fwd.ui.console import message_console
    from x11fwd.ui.explain import show_ran

    show_ran(answer, message_console())
    return ran.exit_status


def _explain(words: list[str], *, as_json: bool) -> int:
    from x11fwd.pipeline.explain import Answer, explain_words, meaning, page_of, read_bounded

    pages = [page_of(word) for word in words]
    found: list[Entry | Answer]
    text = " ".join(words)
    if words and all(page is not None for page in pages):
        found = [page for page in pages if page is not None]
    elif words and words != ["-"]:
        found = [explain_words(text)]
    else:
        if sys.stdin is None or (not words and sys.stdin.isatty()):
            raise UsageError(
                "there is nothing to explain",
                hint="`x11fwd explain --list` shows every page; a message may also be piped in",
            )
        text = read_bounded(sys.stdin.buffer)
        if not text.strip():
            raise UsageError("there was nothing on standard input", hint="`x11fwd explain --help`")
        found = [meaning(text)]
    known = all(not isinstance(one, Answer) or one.cause or one.noise for one in found)
    code = 0 if known else 1
    if as_json:
        from x11fwd.cli.explain_documents import explain_document

        print(json.dumps(explain_document(found, code), indent=2))
        return code
    from x11fwd.ui.console import answer_console
    from x11fwd.ui.explain import show_answer, show_entry

    console = answer_console()
    for number, one in enumerate(found):
        if number:
            console.print()
        if isinstance(one, Answer):
            show_answer(one, console, lines=text.strip().count("\n") + 1)
        else:
            show_entry(one, console)
    return code
