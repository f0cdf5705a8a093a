"""The network that chooses between the candidate disparities of each pixel, and what it is shown."""
