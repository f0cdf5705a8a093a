"""Compute depth from stereo photos, and use the depth for bokeh, shadows and meshes, without a GPU.

`open_scene` makes a `Scene`: a picture with its depth and camera. It takes two photos, one file that contains both, or
a photo and a depth map. Every job takes a scene: `refocus`, `relight`, `make_model`, and more. `__init__.pyi` lists all
public names; each is loaded when it is first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
