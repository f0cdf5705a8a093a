"""Read the version of the installed package; pyproject.toml is the only place that states it."""

from importlib import metadata

__version__ = metadata.version("depthapps")
