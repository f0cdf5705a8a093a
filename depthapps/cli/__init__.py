"""Parse the command line, call the jobs in `apps`, and print their results; only this package uses typer."""
