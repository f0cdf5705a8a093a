"""Choose between the candidate disparities of each pixel with a small neural network."""
