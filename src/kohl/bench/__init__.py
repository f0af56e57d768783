"""Every attack on any photos, through one harness: what is left of each face, to whom, and how sure that is."""
