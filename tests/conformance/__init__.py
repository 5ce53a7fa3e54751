"""Held to reality: one body of test, a simulated arm and a real one."""
