"""Cast light on a scene: find which surfaces see a light, draw the light's own depth map, and relight the picture."""
