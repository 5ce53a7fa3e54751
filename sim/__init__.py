"""A deterministic world: one seed in, one trace out. Knows nothing of exchanges."""
