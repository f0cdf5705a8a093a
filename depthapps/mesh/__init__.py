"""Surfaces and point clouds of a scene, for 3D viewers."""
