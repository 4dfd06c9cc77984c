"""What each failure means, and which failure a message is about; pure, `pipeline` imports it.

catalogue   which ids there are: the codes of the failure catalogue, and what is advice and not a check
pages       the pages in `x11fwd/pages`, one per id
blocks      a page's Markdown as paragraphs, lists and listings
message     what a row of the message table is
messages/   the rows: verbatim messages of ssh, sshd, xauth, X programs, Python, matplotlib, Tk and Qt
matching    a pasted text to its candidates
site        the pages as HTML
"""
