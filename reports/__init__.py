"""Evidence of a run, judged and shown: reconciliation, breaks, pages."""
