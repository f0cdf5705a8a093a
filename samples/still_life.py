"""The scene of the sample still life: objects on a wooden table, a curtain with a string of lamps far behind.

World axes: X to the right, Y away from the camera, Z up; metres. The table top is the plane Z = 0.
"""

from __future__ import annotations

import mitsuba as mi
import numpy as np
import textures
from materials import Description, bitmap, color, matt, mesh_shape, satin
from numpy.typing import ArrayLike
from shapes import Doubles, Mesh, aimed, join, lathe, leaf, rounded_box, sheet, spline, tube

VASE = (-0.085, 1.15)
BOOKS = (0.285, 1.33)
BOTTLE = (0.125, 1.60)
BASKET = (-0.545, 1.90)
PEAR = (0.218, 0.835)
TABLE_TURN = 9.0


def table() -> Description:
    """Plank table top, slightly turned, with a bevelled far edge."""
    length, width = 1.75, 3.0
    wood, relief = textures.wooden_planks((length, width), 1500, 0.15, np.random.default_rng(11))
    x, y = np.meshgrid(np.linspace(-width / 2, width / 2, 60), np.linspace(0, length, 60))
    top = sheet(np.stack([x, y, np.zeros_like(x)], axis=-1)).placed((0, 0.42, 0), TABLE_TURN)
    material = satin(bitmap(wood), 0.5, 0.25, bitmap(relief), 0.0016)
    apron = rounded_box((width, 0.03, 0.06), 0.004).placed((0, length + 0.0135, -0.0301))
    apron = apron.placed((0, 0.42, 0), TABLE_TURN)
    dark = bitmap(textures.mottled((128, 1024), (0.20, 0.11, 0.06), (0.42, 0.25, 0.14), (3, 60), 12))
    return {"table_top": mesh_shape(top, material), "table_edge": mesh_shape(apron, matt(dark))}


def cloth() -> Description:
    """Wrinkled linen runner in the left foreground."""
    rng = np.random.default_rng(21)
    length, width = 0.62, 0.30
    shape = (150, 300)
    linen, relief = textures.striped_linen((width, length), 3000, rng)
    x, y = np.meshgrid(np.linspace(-length / 2, length / 2, shape[1]), np.linspace(-width / 2, width / 2, shape[0]))
    billow = textures.fbm(shape, (3, 5), 3, rng)
    crease = 1 - np.abs(2 * textures.fbm(shape, (2.5, 4), 2, rng) - 1) * 2.2
    height = 0.010 * np.clip(billow - 0.35, 0, 1) + 0.011 * np.clip(crease, 0, 1) ** 3
    from_border = np.minimum(length / 2 - np.abs(x), width / 2 - np.abs(y))
    height = 0.0022 + height * (0.15 + 0.85 * textures.smoothstep(0.0, 0.07, from_border))
    x = x + 0.006 * (textures.smooth_noise(shape, (6, 3), rng) - 0.5)
    y = y + 0.012 * (textures.smooth_noise(shape, (2, 7), rng) - 0.5)
    grid = np.stack([x, y, height], axis=-1).astype(float)
    # A turned-down hem closes the cloth to the table.
    rim = np.pad(grid, ((1, 1), (1, 1), (0, 0)), mode="edge")
    for edge in (rim[0], rim[-1], rim[:, 0], rim[:, -1]):
        edge[:, 2] = 0.0003
    mesh = sheet(rim).placed((-0.235, 0.975, 0), -24)
    return {"cloth": mesh_shape(mesh, matt(bitmap(linen), bitmap(relief), 0.0005))}


def vase() -> Description:
    """The subject: a stoneware vase with painted leaves under a blue glaze."""
    rng = np.random.default_rng(31)
    profile = [
        (0.0, 0.0),
        (0.040, 0.0),
        (0.050, 0.004),
        (0.058, 0.020),
        (0.078, 0.062),
        (0.089, 0.108),
        (0.081, 0.152),
        (0.055, 0.186),
        (0.035, 0.207),
        (0.030, 0.222),
        (0.034, 0.238),
        (0.043, 0.248),
        (0.0455, 0.2505),
        (0.044, 0.2525),
        (0.037, 0.245),
        (0.027, 0.222),
        (0.030, 0.200),
        (0.050, 0.170),
    ]
    rows, columns = 420, 240
    throwing = (
        0.0007 * np.sin(np.linspace(0, 210, rows))[:, None] * textures.smooth_noise((rows, columns), (14, 4), rng)
    )
    wobble = 0.0016 * (textures.smooth_noise((rows, columns), (4, 5), rng) - 0.5)
    relief = throwing + wobble
    relief[:, -1] = relief[:, 0]
    mesh = lathe(profile, rows, columns, relief).placed((*VASE, 0.004), 25)
    glaze = bitmap(textures.painted_stoneware((1300, 1500), rng))
    return {"vase": mesh_shape(mesh, satin(glaze, 0.42, 0.35))}


def dried_stems() -> Description:
    """Thin stems standing in the vase: poppy heads and sprays of round leaves."""
    rng = np.random.default_rng(41)
    foot = np.array([*VASE, 0.17])
    stems, heads, leaves = [], [], []
    poppies = [
        ((-0.165, 0.020, 0.385), 0.95),
        ((-0.070, -0.02, 0.391), 1.08),
        ((0.022, 0.03, 0.385), 1.0),
        ((0.120, -0.015, 0.402), 0.95),
        ((0.185, 0.04, 0.345), 0.8),
    ]
    for (x, y, z), size in poppies:
        tip = np.array([VASE[0] + x, VASE[1] + y, z])
        neck = np.array([VASE[0] + 0.13 * x, VASE[1] + 0.6 * y, 0.258])
        middle = (neck + tip) / 2 + np.array([-0.16 * x, 0.0, 0.022]) + rng.normal(0, 0.004, 3)
        path = spline([foot, neck, middle, tip], 60)
        stems.append(tube(path, np.linspace(0.0019, 0.0013, 60)))
        heads.append(aimed(_poppy_head(size), tip, path[-1] - path[-4], rng.uniform(0, 6)))
    for x, y, z in ((-0.205, -0.02, 0.318), (0.088, -0.05, 0.335)):
        tip = np.array([VASE[0] + x, VASE[1] + y, z])
        neck = np.array([VASE[0] + 0.12 * x, VASE[1] + 0.4 * y, 0.258])
        middle = (neck + tip) / 2 + np.array([-0.05 * x, 0.0, 0.035])
        path = spline([foot, neck, middle, tip], 60)
        stems.append(tube(path, np.linspace(0.0017, 0.0009, 60)))
        for step in np.arange(30, 60, 4):
            for side in (-1, 1):
                ahead = path[step] - path[step - 1]
                sideways = np.cross(ahead, (0, 1, 0)) * side
                direction = ahead / np.linalg.norm(ahead) * 0.6 + sideways / np.linalg.norm(sideways)
                size = 0.038 * (1 - 0.5 * (step - 30) / 30) * rng.uniform(0.85, 1.15)
                blade = leaf(size, 0.72 * size, rng.uniform(0.1, 0.4), rng.uniform(0.0, 0.35))
                leaves.append(aimed(blade, path[step], direction + rng.normal(0, 0.25, 3), rng.normal(0, 0.5)))
    straw = textures.mottled((512, 64), (0.38, 0.27, 0.15), (0.68, 0.55, 0.34), (30, 4), 42)
    pods = textures.mottled((256, 256), (0.40, 0.29, 0.18), (0.74, 0.62, 0.43), (8, 24), 43)
    green = textures.mottled((256, 256), (0.28, 0.36, 0.25), (0.56, 0.62, 0.48), (5, 5), 44)
    return {
        "stems": mesh_shape(join(stems), matt(bitmap(straw))),
        "poppy_heads": mesh_shape(join(heads), matt(bitmap(pods))),
        "leaves": mesh_shape(join(leaves), matt(bitmap(green))),
    }


def _poppy_head(size: float) -> Mesh:
    """Ribbed seed head with its crown, growing along +Y."""
    profile = [(0.0015, -0.002), (0.004, 0.0), (0.011, 0.008), (0.0135, 0.018), (0.0105, 0.027), (0.007, 0.031)]
    profile += [(0.0075, 0.0325), (0.0118, 0.0335), (0.0115, 0.0350), (0.004, 0.0362), (0.0, 0.0365)]
    around = np.linspace(0, 2 * np.pi, 97)[None, :]
    relief = 0.0006 * np.cos(11 * around) * np.sin(np.linspace(0, np.pi, 60))[:, None]
    return lathe(np.array(profile) * size, 60, 97, relief * size).placed((0, 0, 0), 0, -90)


def books() -> Description:
    """Three cloth-bound books, spines to the camera, with an orange on top."""
    rng = np.random.default_rng(51)
    cream, gold = (0.90, 0.84, 0.70), (0.86, 0.68, 0.36)
    stack = [
        ((0.265, 0.185, 0.042), (0.38, 0.11, 0.09), gold, "A HISTORY OF LIGHT", 13.0),
        ((0.235, 0.165, 0.031), (0.17, 0.29, 0.25), cream, "PARALLAX", 5.0),
        ((0.215, 0.150, 0.025), (0.74, 0.52, 0.20), (0.22, 0.14, 0.09), "STILL LIFE", 17.0),
    ]
    shapes: Description = {}
    base = 0.0
    for number, (size, cloth_color, ink, title, turn) in enumerate(stack):
        width, depth, height = size
        board = 0.0028
        middle = (*BOOKS, base + height / 2)
        cover = rounded_box((width, depth, board), 0.0012)
        boards = [cover.placed((0, 0, side * (height - board) / 2)) for side in (-1, 1)]
        spine = rounded_box((width, 0.009, height), 0.0043).placed((0, -depth / 2, 0))
        pages = rounded_box((width - 0.010, depth - 0.010, height - 2 * board), 0.0006)
        pixels = (round(height * 4500), round(width * 4500))
        spine_texture = textures.book_spine(pixels, cloth_color, ink, title, rng)
        cover_texture = textures.book_cover((round(depth * 4000), round(width * 4000)), cloth_color, ink, rng)
        page_texture = textures.page_edges((160, 1200), rng)
        for name, mesh, texture in (
            ("boards", join(boards), cover_texture),
            ("spine", spine, spine_texture),
            ("pages", pages, page_texture),
        ):
            shapes[f"book{number}_{name}"] = mesh_shape(mesh.placed(middle, turn), matt(bitmap(texture)))
        base += height
    peel, pores = textures.orange_peel((700, 1000), rng)
    profile = [(0.0, 0.0035), (0.010, 0.0), (0.024, 0.005), (0.0345, 0.020), (0.0365, 0.034)]
    profile += [(0.0335, 0.050), (0.022, 0.0635), (0.008, 0.067), (0.003, 0.0655), (0.0, 0.065)]
    orange = lathe(profile, 120, 160).placed((BOOKS[0] + 0.025, BOOKS[1] - 0.005, base), 40, 0)
    shapes["orange"] = mesh_shape(orange, satin(bitmap(peel), 0.45, 0.4, bitmap(pores), 0.0006))
    return shapes


def bottle() -> Description:
    """The textureless object: a plain matt white bottle."""
    profile = [(0.0, 0.0), (0.046, 0.0), (0.052, 0.003), (0.0545, 0.012), (0.0555, 0.08), (0.054, 0.145)]
    profile += [(0.047, 0.172), (0.030, 0.196), (0.0195, 0.220), (0.0175, 0.260), (0.0185, 0.286)]
    profile += [(0.0225, 0.293), (0.0225, 0.299), (0.020, 0.302), (0.0145, 0.298), (0.013, 0.26)]
    mesh = lathe(profile, 240, 160).placed((*BOTTLE, 0))
    return {"bottle": mesh_shape(mesh, matt(color(0.69, 0.665, 0.62)))}


def basket() -> Description:
    """Wicker basket at the back left."""
    rng = np.random.default_rng(61)
    rows, columns = 560, 721
    weave, relief = textures.basketry((rows, columns), (34, 56), rng)
    profile = [(0.0, 0.001), (0.090, 0.001), (0.100, 0.010), (0.128, 0.080), (0.136, 0.150), (0.118, 0.215)]
    profile += [(0.116, 0.222), (0.108, 0.222), (0.106, 0.20), (0.120, 0.14), (0.112, 0.06)]
    body = lathe(profile, rows, columns, 0.006 * (relief[::-1] - 0.5))
    angle = np.linspace(0, 2 * np.pi, 200)
    rim = tube(np.stack([0.114 * np.cos(angle), 0.114 * np.sin(angle), np.full(200, 0.222)], axis=1), 0.008, 14)
    mesh = body.placed((*BASKET, 0.004))
    rim_texture = textures.mottled((2000, 64), (0.26, 0.14, 0.07), (0.72, 0.52, 0.32), (90, 3), 62)
    return {
        "basket": mesh_shape(mesh, matt(bitmap(weave))),
        "basket_rim": mesh_shape(rim.placed((*BASKET, 0.004)), matt(bitmap(rim_texture))),
    }


def pears() -> Description:
    """Two pears: one near the camera at the right, one lying further left behind it."""
    profile = [(0.0, 0.006), (0.010, 0.002), (0.022, 0.002), (0.034, 0.014), (0.0385, 0.032), (0.034, 0.052)]
    profile += [(0.0235, 0.070), (0.0175, 0.085), (0.0145, 0.097), (0.009, 0.105), (0.003, 0.104), (0.0, 0.102)]
    shapes: Description = {}
    for number, (position, turn, tilt, scale) in enumerate(
        (((*PEAR, -0.001), 30.0, -4.0, 1.0), ((PEAR[0] - 0.122, PEAR[1] + 0.150, 0.0345), -62.0, 97.0, 0.92))
    ):
        rng = np.random.default_rng(71 + number)
        relief = 0.004 * (textures.smooth_noise((140, 160), (5, 4), rng) - 0.5)
        relief[:, -1] = relief[:, 0]
        fruit = lathe(np.array(profile) * scale, 140, 160, relief)
        path = spline(np.array([(0, 0, 0.098), (0.001, 0, 0.112), (0.006, 0.002, 0.128)]) * scale, 20)
        stalk = tube(path, np.linspace(0.0017, 0.0022, 20))
        skin = bitmap(textures.pear_skin((800, 1000), rng))
        bark = bitmap(textures.mottled((64, 32), (0.16, 0.10, 0.06), (0.36, 0.25, 0.15), (8, 4), 73))
        shapes[f"pear{number}"] = mesh_shape(fruit.placed(position, turn, tilt), satin(skin, 0.5, 0.35))
        shapes[f"stalk{number}"] = mesh_shape(stalk.placed(position, turn, tilt), matt(bark))
    return shapes


def brush() -> Description:
    """A thin paint brush lying across the linen."""
    along = np.array([0.0, 0.03, 0.10, 0.16, 0.163, 0.185, 0.187, 0.198, 0.212, 0.222])
    radius = np.array([0.0016, 0.0026, 0.0042, 0.0034, 0.0034, 0.0036, 0.0034, 0.0044, 0.003, 0.0004])
    position = np.linspace(0, along[-1], 160)
    thickness = np.interp(position, along, radius)
    start, direction = np.array([-0.335, 0.905, 0.0245]), np.array([0.90, 0.44, -0.012])
    path = start + position[:, None] * direction / np.linalg.norm(direction)
    paint = textures.mottled((1000, 32), (0.46, 0.10, 0.07), (0.68, 0.20, 0.12), (60, 3), 81)
    reach = np.linspace(along[-1], 0, 1000)
    paint[reach > 0.160] = textures.mottled((1000, 32), (0.55, 0.45, 0.28), (0.80, 0.70, 0.48), (300, 3), 82)[
        reach > 0.160
    ]
    paint[reach > 0.187] = textures.mottled((1000, 32), (0.12, 0.08, 0.05), (0.36, 0.25, 0.16), (8, 24), 83)[
        reach > 0.187
    ]
    return {"brush": mesh_shape(tube(path, thickness, 16), matt(bitmap(paint)))}


def curtain() -> Description:
    """Pleated curtain that closes the scene at the back."""
    rng = np.random.default_rng(91)
    width, bottom, top = 6.0, -1.6, 2.0
    x, z = np.meshgrid(np.linspace(-width / 2, width / 2, 1200), np.linspace(bottom, top, 60))
    drift = 0.10 * (textures.smooth_noise(x.shape, (2, 16), rng) - 0.5) + 0.03 * z * np.sin(1.7 * x)
    phase = 2 * np.pi * (x + drift) / 0.23
    depth = 4.75 + 0.045 * np.sin(phase) + 0.014 * np.sin(2.3 * phase + 1) + 0.05 * np.sin(1.1 * x)
    fabric = textures.curtain_fabric((1440, 2400), (top - bottom, width), rng)
    return {"curtain": mesh_shape(sheet(np.stack([x, depth, z], axis=-1)), matt(bitmap(fabric)))}


def lamp_string() -> Description:
    """Small bright lamps hanging in swags in front of the curtain, on a thin dark wire."""
    rng = np.random.default_rng(101)
    shapes: Description = {}
    wires, caps = [], []
    swags = [
        ((-2.0, 4.15, 0.86), (-0.35, 4.30, 0.70), 0.36, 11),
        ((-0.35, 4.30, 0.70), (1.0, 4.10, 0.74), 0.34, 9),
        ((1.0, 4.10, 0.74), (2.4, 4.0, 0.84), 0.34, 9),
        ((-2.0, 3.55, 0.42), (0.4, 4.0, 0.34), 0.30, 12),
        ((0.4, 4.0, 0.34), (2.2, 3.7, 0.50), 0.28, 9),
    ]
    number = 0
    for start, end, sag, count in swags:
        t = np.linspace(0, 1, 80)
        path = np.outer(1 - t, start) + np.outer(t, end)
        path[:, 2] -= sag * 4 * t * (1 - t)
        wires.append(tube(path, 0.0022, 6))
        for place in (np.arange(count) + 0.5 + rng.uniform(-0.18, 0.18, count)) / count:
            hook = np.array([np.interp(place, t, path[:, axis]) for axis in range(3)])
            center = hook - (0, 0, 0.026)
            caps.append(tube(np.stack([hook, hook - (0, 0, 0.016)]), (0.0035, 0.006), 10))
            strength = rng.uniform(0.75, 1.25)
            shapes[f"lamp{number}"] = _lamp(center, 0.0098 * rng.uniform(0.9, 1.1), strength)
            number += 1
    shapes["lamp_wires"] = mesh_shape(join(wires), matt(color(0.03, 0.03, 0.03)))
    shapes["lamp_caps"] = mesh_shape(join(caps), matt(color(0.05, 0.045, 0.04)))
    return shapes


def _lamp(center: ArrayLike, radius: float, strength: float) -> Description:
    return {
        "type": "sphere",
        "center": np.asarray(center, float).tolist(),
        "radius": radius,
        "bsdf": {"type": "diffuse", "reflectance": color(0.5, 0.5, 0.5)},
        "emitter": {
            "type": "area",
            "radiance": color(30.0 * strength, 13.5 * strength, 2.2 * strength),
            "sampling_weight": 0.025,
        },
    }


def _panel(
    position: ArrayLike, target: ArrayLike, size: tuple[float, float], radiance: Description, weight: float
) -> Description:
    """Rectangular light facing a target."""
    origin: Doubles = np.asarray(position, float)
    transform = mi.ScalarTransform4f().look_at(origin.tolist(), np.asarray(target, float).tolist(), [0, 0, 1])
    return {
        "type": "rectangle",
        "to_world": transform @ mi.ScalarTransform4f().scale([size[0] / 2, size[1] / 2, 1]),
        "bsdf": {"type": "diffuse", "reflectance": color(0.0, 0.0, 0.0)},
        "emitter": {"type": "area", "radiance": radiance, "sampling_weight": weight},
    }


def lights() -> Description:
    """A large warm window at the left, a back light, a wash on the curtain and a dim surrounding room."""
    return {
        "window": _panel((-1.75, 0.75, 0.98), (0.0, 1.25, 0.05), (0.62, 0.74), color(46.0, 39.0, 30.5), 10.0),
        "back_light": _panel((1.6, 2.7, 1.35), (0.1, 1.25, 0.1), (0.6, 0.6), color(13.0, 9.4, 5.8), 1.5),
        "curtain_wash": _panel((-1.3, 3.3, 1.9), (-0.2, 4.75, 0.1), (0.8, 0.5), color(20.0, 16.2, 11.8), 1.5),
        "room": {"type": "constant", "radiance": color(0.11, 0.122, 0.138), "sampling_weight": 1.0},
    }


def still_life(max_depth: int) -> mi.Scene:
    """The complete scene, ready to be rendered with any sensor."""
    scene: Description = {"type": "scene", "integrator": {"type": "path", "max_depth": max_depth}}
    for part in (
        table,
        cloth,
        vase,
        dried_stems,
        books,
        bottle,
        basket,
        pears,
        brush,
        curtain,
        lamp_string,
        lights,
    ):
        scene.update(part())
    return mi.load_dict(scene)
