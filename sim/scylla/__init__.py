"""Simulated ScyllaDB: nodes that speak the native protocol."""
