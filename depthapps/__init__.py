"""Stereo photographs to depth, and depth to work: bokeh, shadows and meshes, without a GPU.

The way through: a `StereoPair` is matched to a disparity, which with its `Calibration` is a depth; picture, depth and
`Camera` are a `Scene`; every application takes a scene. Names load what they need when they are first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from depthapps.bokeh.params import BokehParams as BokehParams
    from depthapps.bokeh.render import render_bokeh as render_bokeh
    from depthapps.core.errors import DepthappsError as DepthappsError
    from depthapps.core.geometry import depth_from_disparity as depth_from_disparity
    from depthapps.core.quality import Quality as Quality
    from depthapps.core.scene import Calibration as Calibration
    from depthapps.core.scene import Camera as Camera
    from depthapps.core.scene import Scene as Scene
    from depthapps.core.scene import StereoPair as StereoPair
    from depthapps.engine.match import match_pair as match_pair
    from depthapps.engine.match_photos import match_photos as match_photos
    from depthapps.io.photos.images import read_image as read_image
    from depthapps.io.photos.images import write_image as write_image
    from depthapps.mesh.build import build_cloud as build_cloud
    from depthapps.mesh.build import build_mesh as build_mesh
    from depthapps.shadow.params import DirectionalLight as DirectionalLight
    from depthapps.shadow.params import LitBy as LitBy
    from depthapps.shadow.params import PointLight as PointLight
    from depthapps.shadow.params import RelightParams as RelightParams
    from depthapps.shadow.params import SpotLight as SpotLight
    from depthapps.shadow.relight import relight as relight
    from depthapps.shadow.solid import build_solid as build_solid
    from depthapps.shadow.tracing import trace_visibility as trace_visibility

_HOMES = {
    "BokehParams": "bokeh.params",
    "Calibration": "core.scene",
    "Camera": "core.scene",
    "DepthappsError": "core.errors",
    "DirectionalLight": "shadow.params",
    "LitBy": "shadow.params",
    "PointLight": "shadow.params",
    "Quality": "core.quality",
    "RelightParams": "shadow.params",
    "Scene": "core.scene",
    "SpotLight": "shadow.params",
    "StereoPair": "core.scene",
    "build_cloud": "mesh.build",
    "build_mesh": "mesh.build",
    "build_solid": "shadow.solid",
    "depth_from_disparity": "core.geometry",
    "match_pair": "engine.match",
    "match_photos": "engine.match_photos",
    "read_image": "io.photos.images",
    "relight": "shadow.relight",
    "render_bokeh": "bokeh.render",
    "trace_visibility": "shadow.tracing",
    "write_image": "io.photos.images",
}
__all__ = sorted(_HOMES)  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
