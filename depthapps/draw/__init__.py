"""Draw pictures about results in memory: depth with a legend, matching rows, board coverage, what is in focus."""
