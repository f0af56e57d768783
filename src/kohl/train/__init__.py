"""Learning a generator from a folder of faces."""
