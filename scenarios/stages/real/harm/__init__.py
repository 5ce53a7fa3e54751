"""The harm itself: what each fault does to processes, links, files and clocks of this machine."""
