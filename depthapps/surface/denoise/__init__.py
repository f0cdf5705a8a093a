"""Remove noise from a depth map with planes: one plane for each flat face, local plane fits on round surfaces."""
