"""Many views of one scene as one model: registered, fused, painted, textured, printed."""
