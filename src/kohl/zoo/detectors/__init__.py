"""Where faces and their landmarks are."""
