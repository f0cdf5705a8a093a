"""Small depth maps lifted to their photo's size."""
