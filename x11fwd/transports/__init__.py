"""Ways of reaching a machine: one contract (`base`), one module per way; the only place that may run processes."""
