"""The public names, and the module that each is loaded from when it is first used."""

from .apps.calibrate import Calibrated, calibrate_cameras
from .apps.journal import JobResult, Note, Progress, Stage
from .apps.maps import draw_matched_rows, draw_preview, write_depth_map
from .apps.model import Model, Print, make_model, make_print, write_model
from .apps.params import ModelParams, PathLike, SceneParams
from .apps.placed import placed_photos
from .apps.refocus import Refocused, refocus, refocus_sweep
from .apps.relight import Shadows, cast_shadows, make_shadow_map, relight, relight_sweep
from .apps.scan import Scan, model_of_scan, print_of_scan, scan_folder
from .apps.scene import OpenedScene, open_scene
from .apps.turntable import render_view, turntable
from .apps.view import Page, make_page, write_page
from .apps.view3d import View3D, make_view3d, write_view3d
from .apps.view3d_params import View3DParams
from .bokeh.focus import Focus
from .bokeh.params import BokehParams
from .core.camera import Calibration, Camera, LensCamera, StereoRig
from .core.choices import (
    Axes,
    DepthKind,
    Frame,
    Holes,
    Layout,
    LightKind,
    MapKind,
    Motion,
    PageMode,
    Preset,
    Quality,
    Rectify,
    Show,
    StereoStyle,
    TurnStyle,
    Unsure,
)
from .core.errors import (
    CalibrationError,
    DepthappsError,
    InputError,
    MissingExtraError,
    NetworkError,
    NoDepthError,
    OutputError,
    StereoError,
    SwappedViewsError,
    UnalignedError,
)
from .core.geometry import depth_from_disparity, disparity_from_depth, project, unproject
from .core.models import GaussianSplats, PointCloud, PrintableSolid, ShadowMap, TriangleMesh
from .core.scene import FloatMap, Image, PhotoPair, Scene, SecondView, StereoPair
from .core.version import __version__
from .engine.calibrate.boards import Board
from .engine.depth_network import DepthNetwork
from .engine.match import StereoMatch, match_pair
from .engine.match_photos import match_photos
from .engine.network import StereoNetwork
from .engine.network_description import NetworkDescription
from .engine.photo_match import PhotoMatch
from .io.calibration.file import CalibrationFile
from .io.calibration.read import read_calibration
from .io.calibration.write import write_calibration
from .io.lights import read_lights
from .io.maps.read import read_depth, read_disparity, read_inverse_depth
from .io.maps.write import write_confidence, write_depth, write_disparity, write_inverse_depth
from .io.models.colmap import PlacedPhoto, write_colmap
from .io.models.glb import Viewpoint
from .io.models.splats import write_splats
from .io.models.write import write_cloud, write_mesh, write_solid
from .io.network import read_network
from .io.outputs import Outputs
from .io.photos.images import Photo, read_image, read_photo, write_image, write_mask
from .io.photos.metadata import Metadata
from .io.sequences import Sequence, SequenceFrame, read_sequence
from .io.shadow_map import write_shadow_map
from .io.video import write_video
from .mesh.params import PrintParams, SimplifyParams
from .mesh.splats import splats_of_cloud
from .mesh.view import NewView
from .runtime.budget import limit_memory
from .scan.fuse import Fused
from .scan.params import FuseParams
from .shadow.params import (
    DirectionalLight,
    Light,
    LitBy,
    PointLight,
    RelightParams,
    SpotLight,
    color_of_temperature,
    sun_path,
)

__all__ = [
    "Axes",
    "Board",
    "BokehParams",
    "Calibrated",
    "Calibration",
    "CalibrationError",
    "CalibrationFile",
    "Camera",
    "DepthKind",
    "DepthNetwork",
    "DepthappsError",
    "DirectionalLight",
    "FloatMap",
    "Focus",
    "Frame",
    "FuseParams",
    "Fused",
    "GaussianSplats",
    "Holes",
    "Image",
    "InputError",
    "JobResult",
    "Layout",
    "LensCamera",
    "Light",
    "LightKind",
    "LitBy",
    "MapKind",
    "Metadata",
    "MissingExtraError",
    "Model",
    "ModelParams",
    "Motion",
    "NetworkDescription",
    "NetworkError",
    "NewView",
    "NoDepthError",
    "Note",
    "OpenedScene",
    "OutputError",
    "Outputs",
    "Page",
    "PageMode",
    "PathLike",
    "Photo",
    "PhotoMatch",
    "PhotoPair",
    "PlacedPhoto",
    "PointCloud",
    "PointLight",
    "Preset",
    "Print",
    "PrintParams",
    "PrintableSolid",
    "Progress",
    "Quality",
    "Rectify",
    "Refocused",
    "RelightParams",
    "Scan",
    "Scene",
    "SceneParams",
    "SecondView",
    "Sequence",
    "SequenceFrame",
    "ShadowMap",
    "Shadows",
    "Show",
    "SimplifyParams",
    "SpotLight",
    "Stage",
    "StereoError",
    "StereoMatch",
    "StereoNetwork",
    "StereoPair",
    "StereoRig",
    "StereoStyle",
    "SwappedViewsError",
    "TriangleMesh",
    "TurnStyle",
    "UnalignedError",
    "Unsure",
    "View3D",
    "View3DParams",
    "Viewpoint",
    "__version__",
    "calibrate_cameras",
    "cast_shadows",
    "color_of_temperature",
    "depth_from_disparity",
    "disparity_from_depth",
    "draw_matched_rows",
    "draw_preview",
    "limit_memory",
    "make_model",
    "make_page",
    "make_print",
    "make_shadow_map",
    "make_view3d",
    "match_pair",
    "match_photos",
    "model_of_scan",
    "open_scene",
    "placed_photos",
    "print_of_scan",
    "project",
    "read_calibration",
    "read_depth",
    "read_disparity",
    "read_image",
    "read_inverse_depth",
    "read_lights",
    "read_network",
    "read_photo",
    "read_sequence",
    "refocus",
    "refocus_sweep",
    "relight",
    "relight_sweep",
    "render_view",
    "scan_folder",
    "splats_of_cloud",
    "sun_path",
    "turntable",
    "unproject",
    "write_calibration",
    "write_cloud",
    "write_colmap",
    "write_confidence",
    "write_depth",
    "write_depth_map",
    "write_disparity",
    "write_image",
    "write_inverse_depth",
    "write_mask",
    "write_mesh",
    "write_model",
    "write_page",
    "write_shadow_map",
    "write_solid",
    "write_splats",
    "write_video",
    "write_view3d",
]
