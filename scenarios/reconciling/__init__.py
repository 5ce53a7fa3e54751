"""Reading a deployment that somebody runs, without disturbing it: topics, logs and tables."""
