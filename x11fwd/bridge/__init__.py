"""The second route: X11 over the standard input and output of one ssh channel; `pipeline` imports it.

protocol/  the generator of the request tables, and the requests' names; local half only
shared/    what the remote half needs, too: Python 3.6 and nothing but its library
"""
