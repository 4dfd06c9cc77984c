"""The parts of `x11fwd ssh`: no typer, dataclasses, enum or typing at run time; `ssh_session` imports them.

Every millisecond here is paid at each login. Values are small classes with slots, because importing
`dataclasses` alone costs as much as `ssh -G` takes (14 ms against 12 ms, measured).

command_line   ssh's own options, read as ssh reads them
quick_look     is the display alive, and does it know untrusted programs
link           how far away a host is, remembered between logins
routes         which way windows travel: ssh's own forwarding or the bridge, and why
route_of_host  the same for one login, with the settings and what is remembered
memory         what a person answered and what hosts were seen to do, kept between logins
decision       which options ssh gets from us, and why
relay          ssh as our child, its messages copied in order and explained
explanations   what ssh's X11 messages mean, from the table of `x11fwd.explain`
screen         whether a line of ours may be written now
forewarning    what ssh will keep silent about
master         whether a shared connection forwards X11 to this display
bridge_route   the session over the bridge: who logs in, who joins, what is done without a bridge
bridge_session ssh's login and session as our children, and the local half's news beside them
questions      does ssh ask the person something at the terminal just now
bridge_half    the process here that all sessions to one host share
bridge_folder  where all sessions to one host meet, here
bridge_words   which options the three calls of ssh get
bridge_command what the session runs over there until it is the user's command
"""
