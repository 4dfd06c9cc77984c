"""What both halves understand; it is sent to the remote, so Python 3.6 and the standard library only.

tables     generated: which requests exist and which have replies, of the core protocol and of each extension
faults     what ends a connection or the link
majors     which request a major and minor opcode mean on one display, and how it is answered
wire       the bytes of one X connection cut into requests and answers
setup      the greeting of both sides
patch      packets made or changed: sequence numbers, errors, replies, refusals
sequence   the order in which one program gets real and local answers
resources  what a program has made and the X server surely knows
risk       which requests cannot fail, so that answers made here need not wait for them
frames     the frames of the link between the halves
packing    compression of the link
hello      how a link begins
credit     how much of one connection may be under way
link       numbering, acknowledgement, credit and round trip of the link

Top-level names are unique over all modules, so that they can be put into one file.
"""
