"""Stereo photographs to depth, and depth to work: bokeh, shadows and meshes, without a GPU.

`open_scene` makes a `Scene`, a picture with its depth and camera, of whatever there is: two photos, one file with both,
a photo and a depth map. Every job takes a scene: `refocus`, `relight`, `make_model`, and more. `__init__.pyi` lists all
names; each is loaded when it is first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
