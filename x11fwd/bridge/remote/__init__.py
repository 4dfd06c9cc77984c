"""The half that runs beside the programs; it is sent to the remote: Python 3.6, standard library only.

main       the loop: standard streams, listening sockets, programs
program    one program's connection: who answers each request, and in which order
knowledge  what is known of the X server here, told by the local half
rules/     the answers that are given here, a class for each
door       display number, listening sockets, who may come in, the word for the session that waits
authority  the authority file of the display
"""
