"""Networks that say who a face is, and how they read their weights."""
