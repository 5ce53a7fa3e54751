"""The simulated disk: a page cache over durable bytes."""
