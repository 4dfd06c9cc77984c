# mypy: ignore-errors
"""What ansible-playbook does as JSON, one line an event; written beside the playbook, loaded by Ansible.

Results come here after Ansible has taken out what `no_log` hides.
"""

from __future__ import annotations

import json
import sys

from ansible.plugins.callback import CallbackBase
from ansible.release import __version__

DOCUMENTATION = """
    name: x11fwd_events
    type: stdout
    short_description: events as JSON lines, for x11fwd
    description: One JSON object for each event on standard output.
"""
LIMIT = 20000  # characters of one text


def short(value):
    return str(value if value is not None else "")[:LIMIT]


class CallbackModule(CallbackBase):
    """Ansible's events on standard output."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "x11fwd_events"

    def _tell(self, event, **values):
        sys.stdout.write(json.dumps({"event": event, **values}) + "\n")
        sys.stdout.flush()

    def _result(self, event, result):
        told = result._result
        fields = getattr(result, "_task_fields", None) or {}
        diffs = told.get("diff") or []
        self._tell(
            event,
            host=result._host.get_name(),
            task=short(fields.get("name") or result._task.get_name()),
            action=short(fields.get("action") or result._task.action),
            changed=bool(told.get("changed")),
            become=fields.get("become") is True,
            msg=short(told.get("msg")),
            stderr=short(told.get("stderr") or told.get("module_stderr")),
            diff=[
                {name: short(one.get(name)) for name in ("before", "after", "before_header", "after_header")}
                for one in (diffs if isinstance(diffs, list) else [diffs])
                if isinstance(one, dict)
            ],
        )

    def v2_playbook_on_start(self, playbook):  # noqa: ARG002  Ansible's contract
        self._tell("begin", version=__version__)

    def v2_runner_on_start(self, host, task):
        self._tell("start", host=host.get_name(), task=short(task.get_name()), action=short(task.action))

    def v2_runner_on_ok(self, result):
        self._result("ok", result)

    def v2_runner_on_failed(self, result, ignore_errors=False):
        if not ignore_errors:
            self._result("failed", result)

    def v2_runner_on_unreachable(self, result):
        self._result("unreachable", result)

    def v2_playbook_on_stats(self, stats):
        hosts = {name: stats.summarize(name) for name in sorted(stats.processed)}
        self._tell("end", hosts=hosts)
