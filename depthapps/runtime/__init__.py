"""Machinery that knows nothing of pictures: compiled loops, threads, memory, and open3d's import."""
