"""What a host's variables mean for reaching it; imported by `load` only."""

from __future__ import annotations

import re
import shlex
from types import MappingProxyType
from typing import TYPE_CHECKING

from x11fwd.inventory.model import Become, InventoryHost
from x11fwd.inventory.tree import VAULT, Value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["host_of"]

_TEMPLATE = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\}")
_YES, _NO = {"true", "yes", "on", "1", "y", "t"}, {"false", "no", "off", "0", "n", "f"}


def host_of(name: str, variables: Mapping[str, Value], groups: Sequence[str]) -> InventoryHost:
    """The host that these variables describe.

    Raises:
        InventoryError: a value that cannot be meant, or that only Ansible can know.
    """
    read = _Reader(name, variables)
    return InventoryHost(
        name,
        address=read.text("ansible_host", "ansible_ssh_host"),
        port=read.port("ansible_port", "ansible_ssh_port"),
        user=read.text("ansible_user", "ansible_ssh_user") or None,
        key_file=read.text("ansible_ssh_private_key_file", "ansible_private_key_file") or None,
        ssh_args=read.words("ansible_ssh_common_args") + read.words("ansible_ssh_extra_args"),
        python=read.loose("ansible_python_interpreter"),
        connection=read.text("ansible_connection"),
        password=read.secret("ansible_password", "ansible_ssh_pass", "ansible_ssh_password"),
        become=Become(
            wanted=read.flag("ansible_become"),
            method=read.text("ansible_become_method"),
            user=read.text("ansible_become_user"),
            password=read.secret("ansible_become_password", "ansible_become_pass", "ansible_sudo_pass"),
        ),
        groups=tuple(sorted(groups)),
        variables=MappingProxyType({key: value.text for key, value in variables.items()}),
    )


class _Reader:
    """Looks variables up by the first of their names that is set."""

    def __init__(self, name: str, variables: Mapping[str, Value]) -> None:
        self._name = name
        self._variables = variables

    def _found(self, names: Sequence[str]) -> tuple[str, Value] | None:
        for name in names:
            if name in self._variables:
                return name, self._variables[name]
        return None

    def text(self, *names: str) -> str:
        """The text, templates of one plain variable filled in; "" where none is set."""
        found = self._found(names)
        if found is None:
            return ""
        name, value = found
        return self._filled(name, value, value.text, 0)

    def secret(self, *names: str) -> str | None:
        """The same; what is in a vault cannot be had here, and is asked for where it is needed."""
        found = self._found(names)
        if found is None or found[1].text.startswith(VAULT):
            return None
        try:
            return self._filled(*found, found[1].text, 0)
        except RecursionError:  # pragma: no cover  bounded by _filled
            return None

    def loose(self, name: str) -> str | None:
        """A text that only Ansible itself needs; a template stays one."""
        value = self._variables.get(name)
        return None if value is None else value.text

    def port(self, *names: str) -> int | None:
        text, found = self.text(*names), self._found(names)
        if found is None or not text:
            return None
        if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 65535):
            raise found[1].error(f"`{found[0]}` of {self._name} is no port number (1 to 65535): {text!r}")
        return int(text)

    def flag(self, name: str) -> bool | None:
        text, found = self.text(name).lower(), self._found((name,))
        if found is None or not text:
            return None
        if text in _YES:
            return True
        if text in _NO:
            return False
        raise found[1].error(f"`{name}` of {self._name} must be true or false, not {text!r}")

    def words(self, name: str) -> tuple[str, ...]:
        text, found = self.text(name), self._found((name,))
        try:
            return tuple(shlex.split(text))
        except ValueError as error:
            assert found is not None  # noqa: S101  an empty text splits
            raise found[1].error(f"`{name}` of {self._name}: {str(error).lower()}") from None

    def _filled(self, name: str, value: Value, text: str, depth: int) -> str:
        if text.startswith(VAULT):
            hint = "`--engine ansible` can open it"
            raise value.error(f"`{name}` of {self._name} is encrypted by Ansible's vault", hint=hint)

        def fill(found: re.Match[str]) -> str:
            word = found[1]
            if word == "inventory_hostname":
                return self._name
            if word == "inventory_hostname_short":
                return self._name.partition(".")[0]
            inner = self._variables.get(word)
            if inner is None or depth > 10:
                return found[0]
            return self._filled(word, inner, inner.text, depth + 1)

        text = _TEMPLATE.sub(fill, text)
        if "{{" in text or "{%" in text:
            hint = "write the value itself, or take `--engine ansible`"
            raise value.error(
                f"`{name}` of {self._name} is a template that only Ansible can fill in", hint=hint
            )
        return text
