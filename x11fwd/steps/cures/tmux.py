"""Cure of panes that keep the display of an earlier login (F86); cures only.

Three things: the session of tmux learns of a display that is open now, shells that sit at an empty prompt are
told by typing, and the start file makes every later shell in tmux ask before each prompt.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from x11fwd.facts.unknown import Unknown
from x11fwd.steps.cures.blocks import block, has_block

if TYPE_CHECKING:
    from x11fwd.facts.model import RemoteFacts
    from x11fwd.steps.cures.ground import Ground

__all__ = ["refresh"]

# tmux(1), update-environment: DISPLAY and XAUTHORITY of the session are refreshed when somebody attaches; a
# shell that runs already hears of it only by asking. The pane's option is for doctor, which can see what a
# shell was born with and not what it has by now; $? is for the prompt.
_ASK = 'eval "$(tmux show-environment -s DISPLAY 2>/dev/null)"'
_MARK = "tmux set-option -pq @x11fwd_display"
_SH_ASK = (
    f"        {_ASK}",
    f'        [ "${{DISPLAY:-}}" = "$x11fwd_old" ] || {_MARK} "${{DISPLAY:-}}" 2>/dev/null',
)
_BASH = (
    'if [ -n "${TMUX:-}" ] && [ -n "${PS1:-}" ]; then',
    "    x11fwd_display() {",
    '        local x11fwd_status=$? x11fwd_old="${DISPLAY:-}"',
    *_SH_ASK,
    "        return $x11fwd_status",
    "    }",
    '    PROMPT_COMMAND="x11fwd_display${PROMPT_COMMAND:+; $PROMPT_COMMAND}"',
    "fi",
)
_ZSH = (
    "if [[ -n ${TMUX:-} && -o interactive ]]; then",
    "    x11fwd_display() {",
    '        local x11fwd_old="${DISPLAY:-}"',
    *_SH_ASK,
    "    }",
    "    autoload -Uz add-zsh-hook && add-zsh-hook precmd x11fwd_display",
    "fi",
)
_FISH = (
    "if set -q TMUX; and status is-interactive",
    "    function x11fwd_display --on-event fish_prompt",
    "        set -l before $status",
    "        set -l found (tmux show-environment DISPLAY 2>/dev/null)",
    '        if string match -q \'DISPLAY=*\' -- $found; and test "$found" != "DISPLAY=$DISPLAY"',
    "            set -gx DISPLAY (string replace DISPLAY= '' -- $found)",
    f"            {_MARK} $DISPLAY 2>/dev/null",
    "        end",
    "        return $before",
    "    end",
    "end",
)
_HOOKS = {
    "bash": (".bashrc", _BASH),
    "zsh": (".zshrc", _ZSH),
    "fish": (".config/fish/config.fish", _FISH),
}
_TYPED = {
    **dict.fromkeys(
        ("bash", "zsh", "sh", "dash", "ksh", "mksh"), 'eval "$(tmux show-environment -s DISPLAY)"'
    ),
    "fish": "set -gx DISPLAY (tmux show-environment DISPLAY | string replace DISPLAY= '')",
}

# A pane may be typed into where its own shell has the terminal (after the name, field 3 of proc(5)'s stat is
# its group and field 6 the one in the foreground), edits a line (a line editor switches icanon off, which the
# builtin read does not), and has nothing on the cursor's line but a prompt.
_READY = r"""ready() { # SOCKET PANE
  set -- "$1" "$2" $(tmux -S "$1" display-message -p -t "$2" \
    '#{pane_pid} #{pane_tty} #{pane_in_mode}#{pane_dead}#{pane_synchronized} #{cursor_x} #{cursor_y}')
  [ $# -eq 7 ] && [ "$5" = 000 ] || { echo busy; return 1; }
  line=$(tmux -u -S "$1" capture-pane -p -t "$2" | sed -n "$(($7 + 1))p" | sed 's/ *$//')
  tty=$4 column=$6
  stat=$(cat "/proc/$3/stat" 2>/dev/null) || { echo busy; return 1; }
  set -- ${stat##*)}
  [ "$3" = "$6" ] || { echo busy; return 1; }
  case $(stty -a <"$tty" 2>/dev/null) in *-icanon*) ;; *) echo busy; return 1 ;; esac
  case $line in *[\$#%\>] | *❯ | *➜ | *») ;; *) line= ;; esac
  width=$(printf %s "$line" | LC_ALL=C.UTF-8 wc -m)
  if [ -n "$line" ] && [ "$width" -le "$column" ]; then echo ready; else echo 'not at an empty prompt'; fi
}
"""
_PANES = (
    _READY
    + r"""for s in "${TMUX_TMPDIR:-/tmp}/tmux-$(id -u)"/*; do
  [ -S "$s" ] || continue
  tmux -S "$s" list-panes -a -F '#{pane_pid} #{pane_id} #{session_id} #{pane_current_command}' 2>/dev/null |
  while read -r pid pane session command; do
    printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$pid" "$s" "$pane" "$session" "$command" "$(ready "$s" "$pane")" \
      "$(tmux -S "$s" show-environment -t "$session" DISPLAY 2>/dev/null | sed -n 's/^DISPLAY=//p')"
  done
done"""
)
_TOLD = r"""while [ $# -gt 0 ]; do
  value=$(tmux -S "$1" show-environment -t "$3" DISPLAY 2>/dev/null | sed -n 's/^DISPLAY=//p')
  [ "$(tmux -S "$1" show-options -pv -t "$2" @x11fwd_display 2>/dev/null)" = "$value" ] || exit 1
  shift 4
done"""
# C-u first: what somebody has begun to type since is not run, and comes back with C-y
_TELL = (
    _READY
    + r"""while [ $# -gt 0 ]; do
  value=$(tmux -S "$1" show-environment -t "$3" DISPLAY 2>/dev/null | sed -n 's/^DISPLAY=//p')
  if [ "$(ready "$1" "$2")" = ready ]; then
    tmux -S "$1" send-keys -t "$2" C-u && tmux -S "$1" send-keys -t "$2" -l " $4" &&
      tmux -S "$1" send-keys -t "$2" Enter && tmux -S "$1" set-option -p -t "$2" @x11fwd_display "$value"
  else
    echo "pane $2 is busy by now"
  fi
  shift 4
done"""
)
_KNOWS = r"""[ "$(tmux -S "$1" show-environment -t "$2" DISPLAY 2>/dev/null)" = "DISPLAY=$3" ]"""
_FORWARDED = re.compile(r"localhost:(\d+)(?:\.\d+)?")


@dataclass(frozen=True)
class _Pane:
    """One line of `_PANES`."""

    pid: int
    socket: str
    id: str
    session: str
    command: str
    state: str
    display: str  # what its session would give to a new pane


def refresh(ground: Ground) -> None:
    """Old panes, their sessions, and shells to come."""
    remote = ground.remote
    if remote is None:
        return
    _hook(ground)
    stale = _stale(remote)
    if not any(kind == "tmux" for kind, _ in stale.values()):
        if stale:
            ground.note("a window of screen cannot be told from outside; open a new one")
        return
    answer = ground.command("sh", "-c", _PANES)
    if isinstance(answer, Unknown):
        return
    panes = [pane for pane in _panes(answer.stdout) if pane.pid in stale]
    alive = _alive(remote)
    places = {pid: place.rpartition(" ")[2] for pid, (_, place) in stale.items()}
    told = [pane for pane in panes if _display_for(ground, pane, alive, places[pane.pid])]
    if panes and not told:
        ground.note(
            "no session of yours with X11 is open there now: log in and attach to tmux; "
            "each new prompt has the display then"
        )
        return
    _tell(ground, told, places)


def _hook(ground: Ground) -> None:
    shell = posixpath.basename(ground.shell)
    if shell not in _HOOKS:
        return
    name, lines = _HOOKS[shell]

    def change(text: str) -> str | None:
        if has_block(text, "tmux"):
            return None
        end = "" if not text or text.endswith("\n") else "\n"
        return f"{text}{end}{block('tmux', *lines)}"

    title = f"Let shells in tmux ask for the display before each prompt, in ~/{name}"
    ground.edit(f"{ground.home}/{name}", title, change, new=True)


def _number(display: str) -> int | None:
    found = _FORWARDED.fullmatch(display)
    return int(found[1]) if found else None


def _alive(remote: RemoteFacts) -> dict[int, str]:
    """Forwarded displays of the user's other logins; our own goes with us."""
    listeners = remote.network.listeners
    ours = None if remote.place else _number(remote.start_environment.get("DISPLAY", ""))
    if isinstance(listeners, Unknown):
        return {}
    numbers = {one.display for one in listeners if one.uid == remote.uid and one.display != ours}
    return {number: f"localhost:{number}.0" for number in sorted(numbers)}


def _stale(remote: RemoteFacts) -> dict[int, tuple[str, str]]:
    """Process -> kind and place of what runs with the display of a login that is over."""
    listeners = remote.network.listeners
    if isinstance(listeners, Unknown):
        return {}
    open_ones = {one.display for one in listeners if one.uid == remote.uid}
    return {
        one.pid: (one.kind, one.place)
        for one in remote.account.lasting
        if one.kind in {"tmux", "screen"} and one.number is not None and one.number not in open_ones
    }


def _panes(text: str) -> list[_Pane]:
    lines = (line.split("\t") for line in text.splitlines())
    return [_Pane(int(words[0]), *words[1:]) for words in lines if len(words) == 7 and words[0].isdigit()]


def _display_for(ground: Ground, pane: _Pane, alive: dict[int, str], place: str) -> bool:
    """The pane's session knows a display that is open, or will."""
    if _number(pane.display) in alive:
        return True
    if len(alive) != 1:  # which of several is wanted nobody can tell
        return False
    display = next(iter(alive.values()))
    where = (pane.socket, pane.session)
    back = ("set-environment", "-t", pane.session, "DISPLAY", pane.display)
    gone = ("set-environment", "-t", pane.session, "-r", "DISPLAY")
    ground.run(
        f"Let session {place.partition(':')[0] or pane.session} of tmux know the display that is open now",
        ("sh", "-c", _KNOWS, "sh", *where, display),
        ("tmux", "-S", pane.socket, "set-environment", "-t", pane.session, "DISPLAY", display),
        ("tmux", "-S", pane.socket, *(back if pane.display else gone)),
        shown=(f"tmux set-environment -t '{pane.session}' DISPLAY {display}",),
    )
    return True


def _tell(ground: Ground, panes: list[_Pane], places: dict[int, str]) -> None:
    """Type into those that wait at a prompt, and name the others."""
    words: list[str] = []
    shown: list[str] = []
    for pane in panes:
        text = _TYPED.get(pane.command)
        place = places[pane.pid] or pane.id
        if text is None or pane.state != "ready":
            why = pane.state if text is not None else f"{pane.command} runs"
            ground.note(
                f"pane {place} of tmux is left alone ({why}); at its next prompt type `{_TYPED['sh']}`"
            )
            continue
        words += [pane.socket, pane.id, pane.session, text]
        shown.append(f"{place}: {text}")
    if words:
        ground.run(
            "Type this at the empty prompts of open panes of tmux",
            ("sh", "-c", _TOLD, "sh", *words),
            ("sh", "-c", _TELL, "sh", *words),
            shown=tuple(shown),
        )
