"""Compiled loops that look at a surface from a view and gather its colours."""

import numpy as np
from numpy.typing import NDArray

from depthapps.compiled import compiled
from depthapps.mesh._pinhole import Pinhole, pixel_of, seen_from, turned

LEAST_COSINE = 0.05  # a surface that is seen more from the side shows nothing


@compiled
def project_vertices(
    first: int,
    end: int,
    vertices: NDArray[np.floating],
    normals: NDArray[np.floating],
    pinhole: Pinhole,
    depth_m: NDArray[np.floating],
    slack_m: float,
    slack_share: float,
    pixels: NDArray[np.floating],
    seen: NDArray[np.bool_],
    weight: NDArray[np.floating],
) -> None:
    """The pixels (V, 2) of vertices first..end, -1 outside; whether nothing hides them (V,); and how many pixels a
    square metre there has (V,), 0 where it is hidden or turned away."""
    height, width = depth_m.shape
    for i in range(first, end):
        x, y, z = seen_from(pinhole, vertices[i, 0], vertices[i, 1], vertices[i, 2])
        weight[i], seen[i] = 0, False
        pixels[i, 0] = pixels[i, 1] = -1
        if z <= slack_m:
            continue
        u, v = pixel_of(pinhole, x, y, z)
        if not (0 <= u <= width - 1 and 0 <= v <= height - 1):
            continue
        pixels[i, 0], pixels[i, 1] = u, v
        nx, ny, nz = turned(pinhole.to_camera, normals[i, 0], normals[i, 1], normals[i, 2])
        cosine = min(1.0, -(nx * x + ny * y + nz * z) / np.sqrt(x * x + y * y + z * z))
        slanted = max(abs(cosine), LEAST_COSINE)
        # within half a pixel the depth of a slanted surface changes by half a pixel's size over its cosine
        slack = max(slack_m, slack_share * z) + z / pinhole.fx * np.sqrt(1 / (slanted * slanted) - 1)
        seen[i] = abs(depth_m[int(v + 0.5), int(u + 0.5)] - z) < slack
        if seen[i] and cosine >= LEAST_COSINE:
            weight[i] = cosine * (pinhole.fx / z) ** 2


@compiled
def gather_colors(
    first: int,
    end: int,
    image: NDArray[np.uint8],
    pixels: NDArray[np.floating],
    weight: NDArray[np.floating],
    power: int,
    total: NDArray[np.floating],
    weights: NDArray[np.floating],
) -> None:
    """Add a picture's colours, bilinear, to those (V, 3) of the vertices first..end that it shows."""
    height, width = image.shape[:2]
    for i in range(first, end):
        if weight[i] <= 0:
            continue
        share = weight[i] ** power
        u, v = pixels[i, 0], pixels[i, 1]
        x, y = min(int(u), width - 2), min(int(v), height - 2)
        s, t = u - x, v - y
        for c in range(3):
            above = image[y, x, c] * (1 - s) + image[y, x + 1, c] * s
            below = image[y + 1, x, c] * (1 - s) + image[y + 1, x + 1, c] * s
            total[i, c] += share * (above * (1 - t) + below * t)
        weights[i] += share
