"""Depth without its noise: the faces that it is made of, and local planes on what is round."""
