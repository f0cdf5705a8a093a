"""Prepare two views for matching: exposure, rows, order of the views, noise, and the disparity range."""
