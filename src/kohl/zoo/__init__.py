"""Everything with weights, one file each."""
