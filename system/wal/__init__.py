"""The write-ahead log: frames, the files that hold them, and how to open it after anything."""
