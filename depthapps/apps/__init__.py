"""Run one job per function: it takes values and paths and returns a result, and never prints, exits or uses typer."""
