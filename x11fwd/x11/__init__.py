"""X11 without Xlib: display names, authority files, wire format, pictures; all above `errors` may import it.

display     what DISPLAY means, and where libxcb and OpenSSH would connect
authority   the .Xauthority file, and which cookie libXau would choose
wire        connection setup, packets, byte orders
requests    the few requests that are sent, and their replies
client      one handshake with a verdict, or an open connection
connection  questions about windows and their pixels
stream      sockets with deadlines
find        a window by its title, colour patches in a picture
image       pixels, PNG
faults      what can go wrong on an open connection
"""
