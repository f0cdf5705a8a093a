"""The jobs: values and paths in, a result with its facts out. No typer, no printing, no exit."""
