"""The web page, and REST beside it."""
