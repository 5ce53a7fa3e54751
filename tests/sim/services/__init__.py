"""Programs that know nothing of this project."""
