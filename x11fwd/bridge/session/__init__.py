"""The process that owns the local half, shared by all sessions to one host; `pipeline.ssh` starts it.

reception   its control socket: sessions come, are told of the display and leave
process     its life: cookie, channel, local half, end
channel     the ssh that leads to the remote half
memory      what is known of a host from its last session
"""
