"""photo → faces."""
