"""Run one job per function: values and paths in, a result with its facts out; no typer, no printing, no exit."""
