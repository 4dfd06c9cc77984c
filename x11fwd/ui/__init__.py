"""Everything a person sees; the only package that draws (rich). Imported by the cli alone."""
