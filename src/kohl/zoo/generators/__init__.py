"""What makes faces, and what finds their latents."""
