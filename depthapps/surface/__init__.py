"""A depth map as a surface: where it is torn, its normals, its noise taken out, small maps lifted to a photo."""
