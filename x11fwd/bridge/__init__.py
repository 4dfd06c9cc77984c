"""The second route: X11 over the standard input and output of one ssh channel; `pipeline` imports it.

A program there speaks X11 to the remote half, which answers what it knows at once and sends the rest over the
link to the local half, which owns the connections to the X server here.

shared/     what both halves understand: the wire, the link between them, records and images, what can fail
remote/     the remote half: the display over there, and rules/, the answers that it gives itself
local/      the local half: connections to the X server, facts asked ahead, the bridge over an open transport
assembly/   makes shared/ and remote/ one program, Python 3.6 and its library only
bootstrap/  starts that program on a server, and the place where it meets the session
session/    the local half's process that all sessions to one host share; its cookie, its ssh, its memory
protocol/   the generator of the request tables, and the requests' names
"""
