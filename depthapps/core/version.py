"""The version, which pyproject.toml alone holds."""

from importlib import metadata

__version__ = metadata.version("depthapps")
