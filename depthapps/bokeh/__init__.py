"""Shallow depth of field: the lens, and the light that it spreads."""
