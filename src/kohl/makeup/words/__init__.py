"""What users type about makeup, read as products with their colours, strengths, finishes and places; loads no torch."""
