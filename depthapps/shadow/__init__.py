"""Lights on a scene: who sees them, their own depth maps, and the picture under them."""
