"""Writing one small remote file through a shell, without sftp; for the transports that reach a machine."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from x11fwd.errors import ChangeError

if TYPE_CHECKING:
    from collections.abc import Callable

    from x11fwd.transports.base import CommandResult

__all__ = ["put_through_shell"]

LARGEST = 1_000_000

# $1 path, $2 size, $3 mode, $4 random word. `set -C` refuses a file that somebody else put in the way. The
# size is counted because a broken line looks like the end of the file to `cat`.
_SCRIPT = """\
umask 077
t="$1.x11fwd-$4"
set -C
: > "$t" || exit 1
set +C
trap 'rm -f "$t"' 0
trap 'exit 1' 1 2 15
cat > "$t" || exit 1
n=$(wc -c < "$t")
[ "$((n))" -eq "$2" ] || { echo "only $((n)) of $2 bytes arrived" >&2; exit 1; }
chmod "$3" "$t" && mv -f "$t" "$1"
"""


def put_through_shell(run: Callable[..., CommandResult], path: str, data: bytes, mode: int) -> None:
    """Write `data` beside `path` and rename it; `run` is a transport's.

    Raises:
        ChangeError: it could not be written; the message holds the remote's own words.
        ValueError: more than 1 MB, or a path that could be read as an option.
    """
    if len(data) > LARGEST:
        raise ValueError(f"{len(data)} bytes are too many for one small file")
    if path.startswith("-"):
        raise ValueError(f"{path!r} is no path")
    words = ["/bin/sh", "-c", _SCRIPT, "sh", path, str(len(data)), f"{mode:04o}", secrets.token_hex(6)]
    answer = run(words, stdin=data)
    if not answer.ok:
        said = answer.error_text.strip().splitlines() or [f"status {answer.exit_status}"]
        raise ChangeError(f"{path} could not be written: {said[-1]}")
