"""Procedural textures of the sample still life: everything is noise, arithmetic and a few drawn shapes.

A colour texture is an 8-bit sRGB array of shape (rows, columns, 3); a height texture is a float array in
0..1 used for bump mapping. Row 0 is the top of the texture (texture coordinate v = 1).
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.floating[Any]]
Bytes = NDArray[np.uint8]
Color = tuple[float, float, float]


def smooth_noise(shape: tuple[int, int], cells: tuple[float, float], rng: np.random.Generator) -> Floats:
    """Value noise in 0..1 with about ``cells`` (rows, columns) blobs; it wraps around horizontally."""
    rows, columns = (max(2, round(count)) for count in cells)
    grid = rng.random((rows + 2, columns), dtype=np.float32)
    grid = np.hstack([grid[:, -2:], grid, grid[:, :2]])
    scale_y, scale_x = rows / shape[0], columns / shape[1]
    map_y, map_x = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float32)
    return cv2.remap(grid, map_x * np.float32(scale_x) + 2, map_y * np.float32(scale_y) + 1, cv2.INTER_CUBIC).clip(0, 1)


def fbm(shape: tuple[int, int], cells: tuple[float, float], octaves: int, rng: np.random.Generator) -> Floats:
    """Fractal noise around 0.5: ``octaves`` layers of value noise, each twice as fine and half as strong."""
    total = np.zeros(shape, np.float32)
    for octave in range(octaves):
        total += 0.5**octave * (smooth_noise(shape, (cells[0] * 2**octave, cells[1] * 2**octave), rng) - 0.5)
    return total / 1.3 + 0.5


def smoothstep(low: float, high: float, value: Floats) -> Floats:
    """0 below ``low``, 1 above ``high`` (or the reverse when low > high), smooth in between."""
    t = np.clip((value - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def mix(first: ArrayLike, second: ArrayLike, weight: Floats) -> Floats:
    """Blend two colours (or colour images) with a weight image."""
    weight = weight[..., None]
    return np.asarray(first, np.float32) * (1 - weight) + np.asarray(second, np.float32) * weight


def to_bytes(color: Floats) -> Bytes:
    """Colour in 0..1 to 8 bits."""
    return (np.clip(color, 0, 1) * 255 + 0.5).astype(np.uint8)


def speckles(shape: tuple[int, int], count: int, radii: tuple[float, float], rng: np.random.Generator) -> Floats:
    """Mask of randomly placed antialiased dots, small ones more frequent than large ones."""
    mask = np.zeros(shape, np.uint8)
    for _ in range(count):
        center = rng.uniform(0, (shape[1], shape[0])) * 16
        radius = radii[0] + (radii[1] - radii[0]) * rng.random() ** 3
        strength = int(rng.uniform(90, 255))
        cv2.circle(mask, center.astype(int).tolist(), int(radius * 16), strength, -1, cv2.LINE_AA, 4)
    return mask.astype(np.float32) / 255


def plank(shape: tuple[int, int], pixels_per_metre: float, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """One wooden plank running along the rows: colour and height."""
    rows, columns = shape
    length, width = rows / pixels_per_metre, columns / pixels_per_metre
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32) / np.float32(pixels_per_metre)
    # Growth rings: distance from a wandering pith under the board, pushed aside by knots.
    drift = 0.06 * (smooth_noise(shape, (length / 0.45, 2), rng) - 0.5)
    waver = 0.016 * (fbm(shape, (length / 0.12, width / 0.05), 3, rng) - 0.5)
    radius = np.hypot(x - width * rng.uniform(-0.2, 1.2) + drift, rng.uniform(0.02, 0.05)) + waver
    knot_mask = np.zeros(shape, np.float32)
    for _ in range(rng.integers(0, 3)):
        knot_x, knot_y = rng.uniform(0.2, 0.8) * width, rng.uniform(0, length)
        size = rng.uniform(0.006, 0.011)
        distance = np.hypot((x - knot_x) / size, (y - knot_y) / (size * 1.5))
        radius += 0.022 * np.exp(-((distance / 2.2) ** 2))
        knot_mask = np.maximum(knot_mask, smoothstep(1.25, 0.5, distance))
    phase = radius / rng.uniform(0.0042, 0.0065)
    ring = (phase - np.floor(phase)) ** 2
    ring = ring * smoothstep(1.0, 0.86, phase - np.floor(phase))
    # Fibres and pores: noise drawn out along the grain.
    fibre = smooth_noise(shape, (length / 0.05, width / 0.0011), rng)
    fine_fibre = smooth_noise(shape, (length / 0.016, width / 0.0006), rng)
    pores = smoothstep(0.8, 0.93, smooth_noise(shape, (length / 0.014, width / 0.0009), rng))
    stain = fbm(shape, (length / 0.25, width / 0.1), 4, rng)
    darkness = 0.5 * ring + 0.34 * fibre + 0.26 * fine_fibre + 0.5 * stain - 0.36 + rng.uniform(-0.12, 0.12)
    color = mix((0.68, 0.485, 0.315), (0.30, 0.175, 0.10), np.clip(darkness, 0, 1))
    color = mix(color, (0.15, 0.075, 0.04), 0.55 * pores)
    color = mix(color, (0.13, 0.07, 0.04), 0.8 * knot_mask)
    height = 1 - 0.35 * ring - 0.3 * fibre - 0.4 * pores
    border = np.minimum(np.minimum(x, width - x), 0.006)
    gap = smoothstep(0.0026, 0.0010, border + 0.0008 * (smooth_noise(shape, (length / 0.02, 2), rng) - 0.5))
    return mix(color, (0.05, 0.03, 0.02), 0.93 * gap), height * (1 - gap) - 2.0 * smoothstep(0.004, 0.001, border)


def wooden_planks(
    size: tuple[float, float], pixels_per_metre: float, plank_width: float, rng: np.random.Generator
) -> tuple[Bytes, Floats]:
    """A table top of planks, ``size`` metres (length along the grain, width across): colour and height."""
    rows = round(size[0] * pixels_per_metre)
    boards = []
    remaining = round(size[1] * pixels_per_metre)
    while remaining > 0:
        columns = min(remaining, round(plank_width * rng.uniform(0.8, 1.2) * pixels_per_metre))
        columns = remaining if remaining - columns < 0.4 * plank_width * pixels_per_metre else columns
        boards.append(plank((rows, columns), pixels_per_metre, rng))
        remaining -= columns
    height = np.hstack([board[1] for board in boards])
    return to_bytes(np.hstack([board[0] for board in boards])), np.clip(height / 3 + 0.6, 0, 1)


def weave(shape: tuple[int, int], threads: tuple[float, float], rng: np.random.Generator) -> Floats:
    """Plain weave with irregular threads, 0..1 (``threads`` counted along rows and columns)."""
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float32)
    y = y / shape[0] * threads[0] + 0.7 * fbm(shape, (8, 8), 3, rng)
    x = x / shape[1] * threads[1] + 0.7 * fbm(shape, (8, 8), 3, rng)
    over = 0.5 + 0.5 * np.sin(np.pi * x) * np.sin(np.pi * y)
    weft = np.abs(np.sin(np.pi * y)) * (0.45 + 1.1 * smooth_noise(shape, (threads[0], threads[1] / 25), rng))
    warp = np.abs(np.sin(np.pi * x)) * (0.45 + 1.1 * smooth_noise(shape, (threads[0] / 25, threads[1]), rng))
    return np.clip(over * weft + (1 - over) * warp, 0, 1)


def striped_linen(size: tuple[float, float], pixels_per_metre: float, rng: np.random.Generator) -> tuple[Bytes, Floats]:
    """A natural linen cloth of ``size`` metres (rows, columns) with indigo stripes at the short ends."""
    shape = (round(size[0] * pixels_per_metre), round(size[1] * pixels_per_metre))
    cloth = weave(shape, (size[0] / 0.0016, size[1] / 0.0016), rng)
    slubs = smooth_noise(shape, (size[0] / 0.0022, size[1] / 0.05), rng)
    slubs += smooth_noise(shape, (size[0] / 0.05, size[1] / 0.0022), rng)
    color = mix((0.50, 0.44, 0.36), (0.88, 0.83, 0.74), np.clip(0.62 * cloth + 0.28 * slubs, 0, 1))
    from_end = np.minimum(np.arange(shape[1]), shape[1] - 1 - np.arange(shape[1])) / pixels_per_metre
    stripes = np.zeros(shape[1], np.float32)
    for start, stop in ((0.030, 0.050), (0.056, 0.060), (0.066, 0.070)):
        stripes[(from_end > start) & (from_end < stop)] = 1
    worn = 0.92 - 0.5 * (1 - cloth) * slubs
    return to_bytes(mix(color, color * (0.27, 0.36, 0.55), stripes[None, :] * worn)), cloth


def curtain_fabric(shape: tuple[int, int], size: tuple[float, float], rng: np.random.Generator) -> Bytes:
    """Quiet blue-green curtain cloth of ``size`` metres (rows, columns) with faded leaf motifs."""
    slubs = smooth_noise(shape, (size[0] / 0.012, size[1] / 0.16), rng)
    slubs = 0.5 * slubs + 0.5 * smooth_noise(shape, (size[0] / 0.2, size[1] / 0.010), rng)
    fading = fbm(shape, (size[0] / 0.5, size[1] / 0.5), 6, rng)
    motif = np.zeros(shape, np.uint8)
    scale = shape[1] / size[1]
    for row in range(int(size[0] / 0.16) + 1):
        for column in range(int(size[1] / 0.2) + 1):
            x = (column + 0.5 * (row % 2) + rng.uniform(-0.05, 0.05)) * 0.2 * scale
            y = (row + rng.uniform(-0.05, 0.05)) * 0.16 * scale
            for angle in (-60, -90, -120):
                tip = np.deg2rad(angle + rng.uniform(-8, 8))
                center = (int(x + 0.04 * scale * np.cos(tip)), int(y + 0.04 * scale * np.sin(tip)))
                axes = (int(0.034 * scale), int(0.011 * scale))
                cv2.ellipse(motif, center, axes, float(np.rad2deg(tip)), 0, 360, 255, -1, cv2.LINE_AA)
    tone = np.clip(0.25 + 0.5 * (slubs - 0.2) + 0.5 * (fading - 0.5), 0, 1)
    color = mix((0.20, 0.27, 0.29), (0.47, 0.53, 0.52), tone)
    return to_bytes(mix(color, (0.60, 0.57, 0.47), motif.astype(np.float32) / 255 * (0.15 + 0.35 * fading)))


def painted_stoneware(shape: tuple[int, int], rng: np.random.Generator) -> Bytes:
    """Vase glaze: bare speckled clay at the foot, cream body with painted leaves, blue shoulder that drips."""
    rows, columns = shape
    height = 1 - np.repeat(np.arange(rows, dtype=np.float32)[:, None] / rows, columns, axis=1)
    mottling = fbm(shape, (9, 12), 6, rng)
    cream = mix((0.80, 0.71, 0.56), (0.93, 0.88, 0.77), np.clip(mottling * 1.6 - 0.3, 0, 1))
    clay = mix((0.40, 0.23, 0.15), (0.60, 0.38, 0.25), fbm(shape, (60, 60), 4, rng))
    ink = np.zeros(shape, np.uint8)
    repeats = 9
    for repeat in range(repeats):
        _draw_branch(ink, (repeat + 0.5) * columns / repeats, rows, columns / repeats, rng)
    ink_amount = ink.astype(np.float32) / 255 * np.clip(0.55 + 0.8 * (fbm(shape, (25, 40), 5, rng) - 0.3), 0.35, 1)
    color = mix(cream, (0.12, 0.20, 0.40), ink_amount)
    color = mix(color, (0.34, 0.20, 0.11), 0.8 * speckles(shape, 2600, (0.7, 3.2), rng))
    drips = 0.05 * (smooth_noise(shape, (2, 26), rng) ** 2) + 0.02 * fbm(shape, (2, 60), 3, rng)
    glaze = mix((0.07, 0.17, 0.29), (0.22, 0.42, 0.50), np.clip(1.5 * fbm(shape, (14, 46), 6, rng) - 0.25, 0, 1))
    glaze = mix(glaze, (0.75, 0.74, 0.62), 0.5 * speckles(shape, 2200, (0.6, 2.2), rng))
    color = mix(color, glaze, smoothstep(0.508, 0.514, height + drips))
    edge = 0.09 + 0.012 * fbm(shape, (2, 14), 4, rng)
    return to_bytes(mix(clay, color, smoothstep(-0.002, 0.004, height - edge)))


def _draw_branch(ink: Bytes, x: float, rows: int, width: float, rng: np.random.Generator) -> None:
    """Brush one upright leafy branch onto the body of the vase."""
    bottom, top = 0.83 * rows, 0.565 * rows
    cv2.line(ink, (round(x), round(bottom)), (round(x), round(top)), 230, 3, cv2.LINE_AA)
    for step in range(6):
        y = bottom + (top - bottom) * (step + 0.6) / 6.2
        size = width * (0.30 - 0.022 * step)
        for side in (-1, 1):
            angle = -90 + side * rng.uniform(42, 56)
            direction = np.deg2rad(angle)
            center = (round(x + size * np.cos(direction)), round(y + size * np.sin(direction)))
            axes = (round(size * 0.8), round(size * rng.uniform(0.24, 0.32)))
            cv2.ellipse(ink, center, axes, angle, 0, 360, int(rng.uniform(190, 255)), -1, cv2.LINE_AA)
    for offset in (0.855, 0.54):
        cv2.line(
            ink, (round(x - width), round(offset * rows)), (round(x + width), round(offset * rows)), 235, 5, cv2.LINE_AA
        )


def basketry(shape: tuple[int, int], strands: tuple[int, int], rng: np.random.Generator) -> tuple[Bytes, Floats]:
    """Wicker: colour and the relief that displaces the basket."""
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float32)
    row, column = y / shape[0] * strands[0], x / shape[1] * strands[1]
    alternate = np.where(np.floor(row) % 2 == 0, 1.0, -1.0)
    relief = np.sqrt(np.abs(np.sin(np.pi * row))) * (0.5 + 0.5 * alternate * np.sin(np.pi * column))
    fibre = smooth_noise(shape, (shape[0] / 2, shape[1] / 30), rng)
    tone = np.clip(0.1 + 0.55 * relief + 0.45 * (fibre - 0.3) + 0.3 * (fbm(shape, (6, 8), 4, rng) - 0.5), 0, 1)
    return to_bytes(mix((0.24, 0.13, 0.07), (0.76, 0.57, 0.36), tone)), relief.astype(np.float32)


def pear_skin(shape: tuple[int, int], rng: np.random.Generator) -> Bytes:
    """Yellow-green skin with a red blush on one side, russet around the ends and brown lenticels."""
    height = 1 - np.repeat(np.arange(shape[0], dtype=np.float32)[:, None] / shape[0], shape[1], axis=1)
    around = np.repeat(np.linspace(0, 2 * np.pi, shape[1], dtype=np.float32)[None, :], shape[0], axis=0)
    patches = fbm(shape, (7, 9), 6, rng)
    color = mix((0.60, 0.60, 0.24), (0.84, 0.73, 0.34), np.clip(2 * patches - 0.5, 0, 1))
    blush = smoothstep(0.25, 1.25, 0.5 + 0.5 * np.cos(around - 3.9) + 0.9 * (patches - 0.5))
    color = mix(color, (0.66, 0.27, 0.15), 0.75 * blush)
    russet = smoothstep(0.22, 0.02, height + 0.2 * (patches - 0.5)) + smoothstep(0.85, 0.97, height)
    color = mix(color, (0.47, 0.32, 0.15), 0.75 * np.clip(russet * fbm(shape, (50, 50), 4, rng) * 1.7, 0, 1))
    return to_bytes(mix(color, (0.33, 0.21, 0.09), 0.75 * speckles(shape, 2600, (0.8, 2.4), rng)))


def orange_peel(shape: tuple[int, int], rng: np.random.Generator) -> tuple[Bytes, Floats]:
    """Orange skin with pores: colour and height."""
    patches = fbm(shape, (6, 10), 6, rng)
    pores = speckles(shape, 5200, (1.2, 2.6), rng)
    color = mix((0.80, 0.36, 0.05), (0.97, 0.60, 0.14), np.clip(2 * patches - 0.5, 0, 1))
    return to_bytes(mix(color, (0.58, 0.24, 0.03), 0.6 * pores)), 1 - cv2.GaussianBlur(pores, (0, 0), 1.2)


def book_cloth(shape: tuple[int, int], color: Color, rng: np.random.Generator) -> Floats:
    """Bookbinder's cloth of a given colour, with wear."""
    cloth = weave(shape, (shape[0] / 3.2, shape[1] / 3.2), rng)
    wear = fbm(shape, (4, 10), 6, rng)
    return np.asarray(color, np.float32) * (0.60 + 0.5 * cloth + 0.5 * (wear - 0.5))[..., None]


def book_spine(shape: tuple[int, int], color: Color, ink: Color, title: str, rng: np.random.Generator) -> Bytes:
    """Spine with a printed title between rules and ornaments."""
    rows, columns = shape
    print_mask = np.zeros(shape, np.uint8)
    font, thickness = cv2.FONT_HERSHEY_TRIPLEX, max(1, rows // 34)
    (text_width, text_height), _ = cv2.getTextSize(title, font, 1.0, thickness)
    scale = min(0.46 * rows / text_height, 0.56 * columns / text_width)
    origin = (round((columns - scale * text_width) / 2), round((rows + scale * text_height) / 2))
    cv2.putText(print_mask, title, origin, font, scale, 255, thickness, cv2.LINE_AA)
    for position in (0.05, 0.065, 0.17, 0.83, 0.935, 0.95):
        cv2.line(print_mask, (round(position * columns), 0), (round(position * columns), rows), 255, max(2, rows // 26))
    for position in (0.117, 0.883):
        center = (round(position * columns), rows // 2)
        cv2.circle(print_mask, center, round(0.27 * rows), 255, max(2, rows // 22), cv2.LINE_AA)
        cv2.circle(print_mask, center, round(0.12 * rows), 255, -1, cv2.LINE_AA)
    worn = np.clip(0.35 + 1.2 * fbm(shape, (8, 30), 5, rng), 0, 0.95)
    return to_bytes(mix(book_cloth(shape, color, rng), ink, print_mask.astype(np.float32) / 255 * worn))


def book_cover(shape: tuple[int, int], color: Color, ink: Color, rng: np.random.Generator) -> Bytes:
    """Front cover printed with a frame, a sun and rows of hills."""
    rows, columns = shape
    print_mask = np.zeros(shape, np.uint8)
    cv2.rectangle(print_mask, (columns // 20, rows // 14), (columns - columns // 20, rows - rows // 14), 255, 6)
    cv2.circle(print_mask, (int(0.64 * columns), int(0.36 * rows)), rows // 7, 255, -1, cv2.LINE_AA)
    x = np.arange(int(0.08 * columns), int(0.92 * columns))
    for hill in range(7):
        swell = np.sin(x / columns * rng.uniform(7, 12) + rng.uniform(0, 6)) * 0.05
        points = np.stack([x, rows * (0.56 + 0.05 * hill + swell)], axis=1).astype(np.int32)
        cv2.polylines(print_mask, [points], False, 255, 7, cv2.LINE_AA)
    worn = np.clip(0.3 + 1.2 * fbm(shape, (12, 16), 6, rng), 0, 0.95)
    return to_bytes(mix(book_cloth(shape, color, rng), ink, print_mask.astype(np.float32) / 255 * worn))


def page_edges(shape: tuple[int, int], rng: np.random.Generator) -> Bytes:
    """The fore edge of a block of paper."""
    sheets = smooth_noise(shape, (shape[0] / 2, shape[1] / 150), rng)
    return to_bytes(
        mix((0.60, 0.52, 0.40), (0.92, 0.87, 0.76), np.clip(sheets + 0.3 * fbm(shape, (3, 8), 4, rng), 0, 1))
    )


def mottled(shape: tuple[int, int], dark: Color, light: Color, cells: tuple[float, float], seed: int) -> Bytes:
    """General purpose two-colour fractal mottling (leaves, stems, seed heads)."""
    rng = np.random.default_rng(seed)
    return to_bytes(mix(dark, light, np.clip(1.8 * fbm(shape, cells, 6, rng) - 0.4, 0, 1)))
