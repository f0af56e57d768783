"""Changed face → protected photo."""
