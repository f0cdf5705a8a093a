"""Calibration files in and out: one module a family of formats, `read` tells them apart."""
