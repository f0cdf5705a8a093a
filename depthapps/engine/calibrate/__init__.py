"""Calibrate cameras and stereo rigs from photos of a chessboard or ChArUco board."""
