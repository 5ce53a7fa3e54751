"""CQL nodes as processes: the native protocol on TCP, links to peers, a directory that lasts."""
