"""Render shallow depth of field: find the focus, compute circles of confusion, and blur the picture with them."""
