"""Stereo photographs to depth, and depth to work: bokeh, shadows and meshes, without a GPU.

The way through: a `StereoPair` is matched to a disparity, which with its `Calibration` is a depth; picture, depth and
`Camera` are a `Scene`; every application takes a scene. Names load what they need when they are first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from depthapps.bokeh.params import BokehParams as BokehParams
    from depthapps.bokeh.render import render_bokeh as render_bokeh
    from depthapps.engine.photos import match_photos as match_photos
    from depthapps.engine.pipeline import match_pair as match_pair
    from depthapps.errors import DepthappsError as DepthappsError
    from depthapps.geometry import depth_from_disparity as depth_from_disparity
    from depthapps.io.images import read_image as read_image
    from depthapps.io.images import write_image as write_image
    from depthapps.mesh.build import build_cloud as build_cloud
    from depthapps.mesh.build import build_mesh as build_mesh
    from depthapps.quality import Quality as Quality
    from depthapps.scene import Calibration as Calibration
    from depthapps.scene import Camera as Camera
    from depthapps.scene import Scene as Scene
    from depthapps.scene import StereoPair as StereoPair
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
    "Calibration": "scene",
    "Camera": "scene",
    "DepthappsError": "errors",
    "DirectionalLight": "shadow.params",
    "LitBy": "shadow.params",
    "PointLight": "shadow.params",
    "Quality": "quality",
    "RelightParams": "shadow.params",
    "Scene": "scene",
    "SpotLight": "shadow.params",
    "StereoPair": "scene",
    "build_cloud": "mesh.build",
    "build_mesh": "mesh.build",
    "build_solid": "shadow.solid",
    "depth_from_disparity": "geometry",
    "match_pair": "engine.pipeline",
    "match_photos": "engine.photos",
    "read_image": "io.images",
    "relight": "shadow.relight",
    "render_bokeh": "bokeh.render",
    "trace_visibility": "shadow.tracing",
    "write_image": "io.images",
}
__all__ = sorted(_HOMES)  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
