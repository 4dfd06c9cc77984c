"""`x11fwd playbook export`: arguments, options, exit code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from x11fwd.cli.job import Job

__all__ = ["EXAMPLES", "playbook"]

EXAMPLES = """
\b
Examples:
  x11fwd playbook export --ansible DIR               for your git repository
  x11fwd playbook export --ansible DIR --playbook qt
  cd DIR && ansible-playbook -i INVENTORY x11fwd.yml --check --diff
"""

GROUP_EXAMPLES = """
\b
Examples:
  x11fwd playbook export --help   its options, and what to type then
"""

playbook = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@playbook.callback(epilog=GROUP_EXAMPLES)
def _group() -> None:
    """The playbooks of setup, for other tools."""


@playbook.command("export", epilog=EXAMPLES, short_help="Write one for Ansible, that does the same.")
def export(
    ansible: Annotated[
        Path, typer.Option("--ansible", metavar="DIR", help="Folder for the Ansible playbook and its role.")
    ],
    name: Annotated[
        str,
        typer.Option(
            "--playbook", metavar="NAME|FILE", help="A shipped playbook (default, qt) or a file of your own."
        ),
    ] = "default",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> Job:
    """Write a playbook as an Ansible playbook that does the same, for those who keep theirs in git.

    DIR is written whole or not at all; a folder that holds anything else, or an export that was changed, is
    left alone. The playbook needs ansible-core 2.15 or newer and no collection.
    """

    def run() -> int:
        from x11fwd.pipeline.export import export_for_ansible
        from x11fwd.ui.export import show_export

        result = export_for_ansible(name, ansible)
        if as_json:
            document = {
                "schema": "x11fwd.export/1",
                "command": "playbook export",
                "playbook": result.playbook,
                "folder": str(result.folder),
                "written": result.written,
                "files": list(result.files),
                "exit_code": result.exit_code,
            }
            print(json.dumps(document, indent=2))
        else:
            show_export(result)
        return result.exit_code

    return Job(run)
