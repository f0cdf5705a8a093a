"""Define `depthapps batch`, which does a command for many pairs; what it needs is loaded when it is used."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup

COMMANDS = ("depth", "bokeh", "shadow", "mesh", "view", "view3d")


class _BatchGroup(TyperGroup):
    """The commands that `batch` can do, each with its own options beside those of a batch; built when one is used."""

    def list_commands(self, ctx: Any) -> list[str]:
        """The names of the commands."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Make the command from the one that does a single pair."""
        if cmd_name not in COMMANDS:
            return None
        from depthapps.cli.batch_command import of_many

        return of_many(cmd_name)


def batch() -> None:
    """Do a command for many pairs: several at a time, and go on where a run was ended.

    Pairs are matched by what the stars stand for: L/0001.png with R/0001.png. Results take the names of the left photos
    and keep their tree. One that fails does not stop the others. In options, {name} is the name of a pair and {folder}
    the folder of its left photo. `depthapps batch COMMAND --help` lists the options.

    \b
    depthapps batch depth --left 'L/*.png' --right 'R/*.png' --out-dir OUT -c calib.txt
    depthapps batch bokeh --image 'phone/**/*.jpg' --out-dir OUT -o .jpg --f-number 2 --resume
    depthapps batch depth --left 'data/*/im0.png' --right 'data/*/im1.png' -c '{folder}/calib.txt' --out-dir OUT
    depthapps batch mesh --manifest pairs.csv --out-dir OUT --json-lines
    depthapps batch depth --left 'L/*.png' --right 'R/*.png' --out-dir OUT --dask tcp://scheduler:8786
    """


group = typer.Typer(cls=_BatchGroup, no_args_is_help=True, rich_markup_mode=None)
group.callback()(batch)
