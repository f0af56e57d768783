"""Faces → latents, and a generator that gives the face back at them."""
