"""Cure of panes that keep the display of an earlier login (F86); cures only."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from x11fwd.steps.cures.blocks import has_block

if TYPE_CHECKING:
    from x11fwd.steps.cures.ground import Ground

__all__ = ["refresh"]

# tmux(1), update-environment: DISPLAY and XAUTHORITY of the session are refreshed when somebody attaches; a
# shell that runs already hears of it only by asking.
_ASK = 'eval "$(tmux show-environment -s DISPLAY 2>/dev/null)"'
_BASH = (
    'if [ -n "${TMUX:-}" ] && [ -n "${PS1:-}" ]; then',
    f"    x11fwd_display() {{ {_ASK}; }}",
    '    PROMPT_COMMAND="x11fwd_display${PROMPT_COMMAND:+; $PROMPT_COMMAND}"',
    "fi",
)
_ZSH = (
    "if [[ -n ${TMUX:-} && -o interactive ]]; then",
    f"    x11fwd_display() {{ {_ASK} }}",
    "    autoload -Uz add-zsh-hook && add-zsh-hook precmd x11fwd_display",
    "fi",
)
_FISH = (
    "if set -q TMUX; and status is-interactive",
    "    function x11fwd_display --on-event fish_prompt",
    "        set -l found (tmux show-environment DISPLAY 2>/dev/null)",
    "        string match -q 'DISPLAY=*' -- $found",
    "        and set -gx DISPLAY (string replace DISPLAY= '' -- $found)",
    "    end",
    "end",
)
_HOOKS = {
    "bash": (".bashrc", _BASH),
    "zsh": (".zshrc", _ZSH),
    "fish": (".config/fish/config.fish", _FISH),
}


def refresh(ground: Ground) -> None:
    """Shells in tmux ask for the display before each prompt; those that run already are told how."""
    from x11fwd.steps.cures.blocks import block

    shell = posixpath.basename(ground.shell)
    if shell not in _HOOKS:
        return
    name, lines = _HOOKS[shell]

    def change(text: str) -> str | None:
        if has_block(text, "tmux"):
            return None
        end = "" if not text or text.endswith("\n") else "\n"
        return f"{text}{end}{block('tmux', *lines)}"

    if ground.edit(
        f"{ground.home}/{name}", f"Let new panes of tmux ask for the display, in ~/{name}", change, new=True
    ):
        ground.notes.append(f"in a pane that is open already, type: {_ASK}")
