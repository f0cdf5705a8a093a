"""Noise taken out of a depth map by planes: of whole faces where there are any, fitted locally elsewhere."""
