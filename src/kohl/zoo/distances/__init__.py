"""How unlike two pictures are to a network."""
