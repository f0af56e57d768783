"""Looks: layers, where on a face they go, and the words for them."""
