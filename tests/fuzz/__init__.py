"""What tries kohl: seeded inputs for every door by which something from outside comes in; `scripts/fuzz` runs it."""
