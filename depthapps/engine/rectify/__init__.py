"""Two photos of one scene, from cameras that were not aligned, as a rectified pair."""
