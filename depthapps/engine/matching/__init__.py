"""Matchers and what is made of their answers: pyramid, refinement, planes, specks."""
