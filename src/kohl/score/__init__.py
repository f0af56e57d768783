"""Protected file → judgements, figures and a report."""
