"""What is sent as text and runs elsewhere: Python 3.6, its library and matplotlib; nothing imports it."""
