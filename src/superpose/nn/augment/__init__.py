"""Random variations of a batch while networks learn."""
