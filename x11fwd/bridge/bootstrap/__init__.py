"""What starts the remote half over there, and where it meets the session; `pipeline` and `local` import it.

starter.py      the local side of it, and the protocol
start.sh        finds a Python; ends by telling a waiting session if there is none (package data)
rendezvous.sh   where the session's script and the remote half meet; the session has it, too (package data)
loader.py       finds the program where it was kept, or takes it in, and runs it (package data; Python 3.6)
"""
