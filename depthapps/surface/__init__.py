"""Treat a depth map as a surface: find its tears and normals, remove its noise, enlarge it to the size of a photo."""
