"""Depth, disparity and confidence maps: their files, and what the numbers in them mean."""
