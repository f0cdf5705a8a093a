"""Pictures about results, without a disk: depth with a legend, rows, coverage, what is in focus."""
