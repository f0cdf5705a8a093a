"""Run the `depthapps` command, as the console script and as `python -m depthapps`."""

from __future__ import annotations

from depthapps.cli.stopping import end_if_stopped, watch


def main() -> None:
    """Watch for signals, then load the command line, which takes longer than a command's own checks, and run it."""
    watch()
    try:
        from depthapps.cli.app import main as command

        command()
    except BaseException:
        end_if_stopped()
        raise


if __name__ == "__main__":
    main()
