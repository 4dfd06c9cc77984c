"""Training logs: following a file, recognising its lines, keeping its points; for the pipeline."""
