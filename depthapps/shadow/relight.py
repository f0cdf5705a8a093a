"""The picture under another light."""

from __future__ import annotations

import numpy as np

from depthapps.color import from_linear, to_linear
from depthapps.scene import FloatMap, Image, Scene
from depthapps.shadow.params import DirectionalLight, Light, RelightParams
from depthapps.shadow.tracing import Surface, to_light


def relight(scene: Scene, surface: Surface, visibility: FloatMap, light: Light, params: RelightParams) -> Image:
    """The scene's picture lit by a light, in linear light, of its own sample type.

    visibility: (H, W) in 0..1 from `trace_visibility`. Every surface is taken as matt (Lambert), and the picture
    itself as its colour: light and shadows that are in the photo already stay in it. What is infinitely far stays
    as it is.
    """
    way = to_light(light, surface.points)
    with np.errstate(invalid="ignore"):
        distance = np.linalg.norm(way, axis=-1)
        received = visibility * np.clip((surface.normals * way).sum(axis=-1) / distance, 0, 1)
        if not isinstance(light, DirectionalLight):
            reference = np.median(distance[np.isfinite(distance)])
            received *= (reference / np.maximum(distance, 0.1 * reference)) ** 2
    gain = params.ambient + params.intensity * received[..., None] * np.asarray(params.color, np.float32)
    gain = 1 + params.strength * (np.nan_to_num(gain, nan=1.0) - 1)
    return from_linear((to_linear(scene.image) * gain).astype(np.float32), scene.image.dtype)
