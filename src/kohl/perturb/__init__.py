"""Latents → adversarial latents."""
