"""Asking and understanding, without judging; checks, steps and pipeline import it.

model          what was seen on either side
local          this machine, by one small script and a handshake (local_probe.sh)
display        which display of this machine can be used; light enough for `x11fwd ssh`
remote         the other machine, by one script in one round trip (probe/*.sh, probe_python.py)
answers        the scripts' output taken apart; parse, sshd, pythons, listing, os_release understand it
sshd_config    which line of sshd's files decides
matplotlibrc   which line decides the backend, and the text with another one
"""
