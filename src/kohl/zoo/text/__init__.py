"""Pictures and words in one space."""
