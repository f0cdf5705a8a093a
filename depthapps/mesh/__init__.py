"""Turn the depth map of one view into a textured mesh, a point cloud or a printable solid."""
