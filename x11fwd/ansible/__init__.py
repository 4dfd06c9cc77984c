"""Playbooks for Ansible: one of ours as a role with everything beside it; imported by the pipeline.

`role_files` says what the folder holds, `write_folder` puts it there. The tasks are text of this package
(role/); what differs between playbooks and families of systems is worked out here.
"""

from __future__ import annotations

from x11fwd.ansible.events import CALLBACK, Event, FileDiff, callback_text, parse_event
from x11fwd.ansible.folder import write_folder
from x11fwd.ansible.role_files import role_files

__all__ = ["CALLBACK", "Event", "FileDiff", "callback_text", "parse_event", "role_files", "write_folder"]
