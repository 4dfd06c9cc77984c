"""Facts: one probe script per side and pure parsers of its answers; they see and never judge."""
