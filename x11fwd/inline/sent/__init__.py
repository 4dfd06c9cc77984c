"""Programs that run over there, sent as text by inline/texts.py."""
