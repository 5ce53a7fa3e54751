"""What reconciling takes: made-up deployments of any size, read as a real one would be."""
