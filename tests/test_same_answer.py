"""The same input gives the same bytes, with one thread and with two, and in every process."""

from __future__ import annotations

import subprocess
import sys

from conftest import SAMPLES

PROGRAM = """
import hashlib, sys
import cv2, numpy as np
cv2.setNumThreads(int(sys.argv[1]))
import depthapps as da

def tell(name, *arrays):
    print(name, hashlib.sha256(b"".join(np.ascontiguousarray(a).tobytes() for a in arrays)).hexdigest())

views = [cv2.resize(da.read_image(sys.argv[k]), (252, 168), interpolation=cv2.INTER_AREA) for k in (2, 3)]
params = da.SceneParams(quality="balanced", fov_deg=50, baseline_m=0.1)
scene = da.open_scene(*views, params).scene
tell("depth", scene.depth_m, scene.confidence)
small = [cv2.resize(view, (168, 112), interpolation=cv2.INTER_AREA) for view in views]
for quality in ("fast", "best"):
    found = da.open_scene(*small, da.SceneParams(quality=quality, fov_deg=50, baseline_m=0.1)).scene
    tell("depth", found.depth_m, found.confidence)
tell("rectified", da.open_scene(views[0], np.roll(views[1], 3, axis=0), da.SceneParams(rectify="always")).scene.depth_m)
for quality in ("fast", "balanced"):
    tell("bokeh", da.refocus(scene, da.BokehParams(focus_px="auto"), quality).image)
lights = [da.LitBy(da.DirectionalLight.from_angles(30, 40, 5.0)), da.LitBy(da.PointLight((-0.5, -0.5, 0.5), 0.1))]
shadows = da.cast_shadows(scene, lights, "balanced", ambient_occlusion=True)
tell("shadow", shadows.mask, shadows.openness, da.relight(scene, shadows))
for preset in ("full", "web"):
    model = da.make_model(scene, da.ModelParams(preset=preset)).shape
    tell("mesh", model.vertices, model.triangles, model.normals, model.texture)
tell("print", da.make_print(scene).solid.vertices)
"""


def test_threads_and_runs_do_not_matter():
    pair = [str(SAMPLES / name) for name in ("left.png", "right.png")]
    command = [sys.executable, "-W", "ignore", "-c", PROGRAM]
    runs = [
        subprocess.run([*command, threads, *pair], capture_output=True, text=True, check=True).stdout.splitlines()
        for threads in ("1", "2", "2")
    ]
    assert len(runs[0]) == 10
    assert runs[0] == runs[1] == runs[2]
