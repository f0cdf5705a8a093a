"""Give a light's position, apparent size and beam, for ray tracing, shadow maps and shading alike."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from depthapps.core.scene import FloatMap
from depthapps.shadow.params import DirectionalLight, Light, SpotLight


def light_radius(light: Light) -> float:
    """Radius of the light's disc: in metres for a lamp, at unit distance for an infinitely far light."""
    if isinstance(light, DirectionalLight):
        return math.tan(math.radians(light.angular_size_deg) / 2)
    return light.size_m / 2


def light_vector(light: Light) -> tuple[tuple[float, float, float], bool]:
    """Position of a lamp in metres and False, or the unit vector towards an infinitely far light and True."""
    if isinstance(light, DirectionalLight):
        x, y, z = (-v / math.hypot(*light.direction) for v in light.direction)
        return (x, y, z), True
    x, y, z = (float(v) for v in light.position)
    return (x, y, z), False


def to_light(light: Light, points: NDArray[np.floating]) -> NDArray[np.floating]:
    """Vectors (..., 3) from points (..., 3) to the light's centre: unit length if directional, else in metres."""
    vector, at_infinity = light_vector(light)
    ways = np.asarray(vector, np.float32)
    return np.broadcast_to(ways, points.shape) if at_infinity else ways - points


def beam(light: Light, points: NDArray[np.floating]) -> FloatMap:
    """Share (H, W) in 0..1 of its full light that a lamp sends towards points (H, W, 3): 1 unless it is a spot."""
    if not isinstance(light, SpotLight):
        return np.ones(points.shape[:-1], np.float32)
    axis = np.asarray(light.target, np.float32) - np.asarray(light.position, np.float32)
    way = points - np.asarray(light.position, np.float32)
    with np.errstate(invalid="ignore", divide="ignore"):
        along = way @ (axis / np.linalg.norm(axis))
        tangent = np.sqrt(np.maximum((way**2).sum(axis=-1) - along**2, 0)) / along
        radius = math.tan(math.radians(light.angle_deg) / 2)
        fade = np.clip((radius - tangent) / max(light.penumbra * radius, 1e-6), 0, 1)
    inside = np.where((along > 0) & np.isfinite(tangent), fade, 0)
    return (inside * inside * (3 - 2 * inside)).astype(np.float32)
