"""What a CQL node keeps on disk: a commit log, snapshots that shorten it, a locked directory."""
