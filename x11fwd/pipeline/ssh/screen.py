"""May a line of ours be written now, or would it spoil a screen? `relay` and `forewarning` import it.

A program over there may fill the screen (vim, less, tmux), and what it writes does not come through us. So a
line is written at once only where no such program can run:

  - under a message that ssh writes before the remote program starts: the server answers the request for X11
    before it starts anything. Not where other calls of ssh share this connection, whose messages come here;
  - where stderr is no terminal;
  - where the terminal is in line mode, and ours (foreground process group): what fills the screen leaves line
    mode, and so does ssh itself whenever there is a terminal over there. What remains is a login without one,
    such as `x11fwd ssh host python plot.py`.

All else waits until ssh has ended, and is dropped if the screen is another program's even then.
"""

from __future__ import annotations

import os


def screen_is_free() -> bool:
    """True where a line on stderr can spoil nothing."""
    if not os.isatty(2):
        return True
    import termios

    try:
        line_mode = bool(termios.tcgetattr(2)[3] & termios.ICANON)
        return line_mode and os.tcgetpgrp(2) == os.getpgrp()
    except (OSError, termios.error):  # not our terminal (setsid), or gone
        return False
