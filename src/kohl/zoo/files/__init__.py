"""Where weights are, proof that they are the right ones, and reading them without running code."""
