"""Parse the command line, call the jobs in `apps`, and print what they report; only this package uses typer."""
