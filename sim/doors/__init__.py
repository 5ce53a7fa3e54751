"""Stand-ins for everything a program touches outside itself."""
