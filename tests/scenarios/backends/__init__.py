"""Back ends: processes, addresses, what is said when something is missing."""
