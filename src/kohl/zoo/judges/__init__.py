"""Black-box recognisers, which open the file themselves."""
