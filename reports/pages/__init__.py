"""Pages: what a judged run looks like to people and to other programs."""
