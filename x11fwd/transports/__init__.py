"""Ways of reaching a machine: one contract (`base`), one module per way; only they run processes."""
