"""Draw pictures in memory that explain results: depth with a legend, matching rows, board coverage, focus."""
