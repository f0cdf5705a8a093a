"""Cameras and rigs measured from photos of a board whose corners are known."""
