"""Reconciling a deployment that runs: streams in, one statement out, memory bounded by accounts."""
