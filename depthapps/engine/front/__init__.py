"""What is done to two views before they are matched: exposure, rows, order, noise, and the range to search."""
