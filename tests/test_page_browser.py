"""The page in a real browser: every mode clicked, dragged and compared with the command; its scripts one by one."""

from __future__ import annotations

import math
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from browser import Browser
from numpy.typing import NDArray
from PIL import ExifTags
from PIL import Image as Pillow
from test_cli import run

import depthapps as da
from depthapps.io.page.contents import PageContents, PageModel
from depthapps.io.page.write import page_html

WIDTH, HEIGHT = 240, 180
WALL, CARD = (40, 80, 160), (200, 120, 60)
Picture = NDArray[np.uint8]


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    return 10 * math.log10(255**2 / float(np.mean((a.astype(float) - b) ** 2)))


@pytest.fixture(scope="module")
def browser(chromium, tmp_path_factory) -> Iterator[Browser]:
    with Browser(chromium, tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture(scope="module")
def scene() -> da.Scene:
    """A card 1 m away before a wall 3 m away, with stripes on both."""
    depth = np.full((HEIGHT, WIDTH), 3, np.float32)
    image = np.full((HEIGHT, WIDTH, 3), WALL, np.uint8)
    image[:, ::8] = 20
    depth[60:120, 90:150] = 1
    image[60:120, 90:150] = CARD
    image[60:120, 90:150:6] = 250
    return da.Scene(image, depth, da.Camera.centred(WIDTH, HEIGHT, 200.0), inverse_depth_sigma=0.002)


@pytest.fixture(scope="module")
def path(scene, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("page") / "a #1 page.html"
    opened = da.OpenedScene(
        scene=scene, calibration=da.Calibration(scene.camera, 0.1), disparity_px=20 / scene.depth_m,
        metadata=da.Metadata(), depth_is_given=False, name="card",
    )  # fmt: skip
    page = da.make_page(opened, "refocus", command="card.png r.png")  # pyright: ignore[reportArgumentType]
    recipe = replace(page.contents.recipe, python="da.open_scene('card.png', 'r.png')")
    da.write_page(path, replace(page, contents=replace(page.contents, recipe=recipe)))
    return path


@pytest.fixture(scope="module")
def still_life(small_sample) -> da.Scene:
    """The sample at half its size, with its exact depth."""
    params = da.SceneParams(calibration=small_sample / "calib.txt")
    return da.open_scene(small_sample / "left.png", params=params, disparity=small_sample / "disparity.png").scene


def at(browser: Browser, x: float, y: float) -> tuple[float, float]:
    """Where a pixel of the photo is on the window."""
    left, top = browser.run(f"page.stage.cssOf({x}, {y})")
    return left, top


def color(browser: Browser, shot: NDArray[np.integer], x: float, y: float) -> list[int]:
    column, row = (round(v) for v in at(browser, x, y))
    return shot[row, column].tolist()


@pytest.fixture
def live(browser, path) -> Iterator[Browser]:
    """The page of the card, opened; it must neither complain nor ask for anything."""
    browser.resize(780, 400)
    browser.open(path, "measure")
    yield browser
    assert browser.errors == []
    assert browser.requests == []


@pytest.fixture
def page(live) -> Browser:
    """The same, which draws only what `render` asks for: a software GPU takes seconds for what nobody looks at."""
    live.run("page.request = () => {}, page.open('refocus')")
    return live


# ------------------------------------------------------------------------------- what it shows


@pytest.fixture(scope="module")
def still_page(browser, still_life, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("still") / "a.html"
    da.write_page(path, da.make_page(still_life))
    return path


@pytest.mark.parametrize(
    ("place", "f_number", "blades"),
    [
        ((200, 215), 1.5, 0), ((200, 215), 4, 0),  # the vase, with things before and behind it
        ((425, 300), 0.8, 0), ((425, 300), 2.8, 7),  # the nearest pear
        ((60, 40), 1.5, 0), ((60, 40), 0.8, 5), ((250, 170), 2.8, 6),  # the wall behind all
    ],
)  # fmt: skip
def test_refocusing_is_within_a_decibel_and_a_half_of_the_command(
    browser, still_life, still_page, place, f_number, blades
):
    """Both are compared with the command's best result."""
    if browser.run("document.title") != "" or browser.run("!window.still"):
        browser.resize(400, 300)
        browser.open(still_page, "measure")
        browser.run(
            "window.still = true; page.request = () => {}; page.open('refocus')"
        )  # only what is asked for is drawn
    browser.run(f"Object.assign(page.mode.settings, {{fNumber: {f_number}, blades: {blades}}}), page.mode.press{place}")
    found, params = browser.render(), da.BokehParams(focus_px=place, f_number=f_number, blades=blades)
    fast, best = (
        np.asarray(da.refocus(still_life, params, quality).image) for quality in (da.Quality.FAST, da.Quality.BEST)
    )
    assert psnr(found, best) > psnr(fast, best) - 1.5
    assert psnr(found, fast) > 32
    assert browser.errors == []


def test_relighting_looks_like_that_of_the_command(browser, still_life, still_page):
    browser.resize(400, 300)
    browser.open(still_page, "measure")
    browser.run("page.request = () => {}; page.open('relight'); page.mode.settings.size = 0.15")
    sun = da.DirectionalLight.from_angles(-60, 40, 0.9)
    assert psnr(browser.render(), np.asarray(da.relight(still_life, [sun]))) > 30
    assert browser.errors == []


def test_a_click_focuses_there(page):
    sharp = page.render()
    assert sharp[90, 96].tolist() == pytest.approx([250, 250, 250], abs=14)  # the card, which is the subject
    assert np.ptp(sharp[30, 100:140].astype(int), axis=0).max() < 40  # the wall's stripes are blurred
    page.click(*at(page, 40, 30))
    assert "3.00 m" in page.run("page.stage.reading.textContent")
    wall = page.render()
    assert wall[30, 104].tolist() == pytest.approx([20, 20, 20], abs=14)
    assert np.ptp(wall[90, 110:130].astype(int), axis=0).max() < 120
    # the wall shows through the blurred rim of the card
    assert wall[90, 90, 2] > sharp[90, 91, 2]


def test_the_aperture_and_the_blades_change_the_blur(page):
    before = page.render()
    page.run("document.querySelector('#control-fNumber').focus()")
    for _ in range(40):
        page.key("ArrowLeft")
    wider = page.render()
    assert page.run("page.mode.settings.fNumber") < page.run("page.photo.lens.f_number")
    assert np.abs(wider.astype(int) - before).mean() > 0.3
    page.run("page.mode.settings.blades = 5")
    assert (page.render() != wider).any()


def test_dragging_the_light_moves_the_shadow(page):
    page.key("2")
    page.drag(at(page, *page.run("page.mode.light.place")), at(page, 99.5, 89.5))
    # the sun is 23 degrees left of the camera's axis: the card's shadow falls on the wall 55 px to the right
    left, right = np.s_[82:98, 57:72], np.s_[82:98, 168:183]
    shadow = page.render()
    assert shadow[right].mean() < 0.75 * shadow[left].mean()
    page.drag(at(page, *page.run("page.mode.light.place")), at(page, 139.5, 89.5))
    shadow = page.render()
    assert shadow[left].mean() < 0.75 * shadow[right].mean()
    page.click(*page.middle("#controls label:nth-child(2)"))
    assert page.run("page.mode.light.kind") == "lamp"
    page.run("page.mode.wheel(400)")
    assert page.run("page.mode.light.distance") > 0.75


def test_the_scene_turns_and_comes_back(live):
    live.key("3")
    live.settle()
    home = live.shot()
    assert color(live, home, 93, 90) == pytest.approx(CARD, abs=14)
    assert color(live, home, 44, 30) == pytest.approx(WALL, abs=14)
    live.drag(at(live, 120, 90), at(live, 150, 90))
    live.settle()
    turned = live.shot()
    assert np.abs(turned.astype(int) - home).mean() > 2
    live.mouse("mouseWheel", *at(live, 120, 90), deltaX=0, deltaY=-300)
    live.settle()
    assert live.run("page.mode.orbit.now.distance") < 1
    live.key("r")
    live.mouse("mouseMoved", 390, 200)  # the middle, where nothing leans
    live.settle()
    assert np.abs(live.shot().astype(int) - home)[:, :460].mean() < 1.5


def test_what_the_card_hid_is_filled_where_it_turns_aside(page):
    page.key("3")
    page.run("page.mode.glow = 0, page.mode.turnBy(0.06, 0), page.mode.orbit.follow(1), page.changed()")
    shown = page.render()
    strip = shown[70:110, 60:180].reshape(-1, 3).astype(int)
    nothing = np.array(page.run("page.ground.map(v => 255 * v)"))
    assert (np.abs(strip - nothing).max(axis=1) < 6).mean() < 0.02  # hardly any holes


def test_what_nobody_knows_glows_dimly_in_the_photos_colours(page):
    page.key("3")
    page.run("page.mode.turnBy(0.3, 0), page.mode.orbit.follow(1), page.changed()")
    glowing = page.render().astype(int)
    page.run("page.mode.glow = 0, page.changed()")
    dark = page.render().astype(int)
    ground = np.array(page.run("page.ground.map(v => 255 * v)"))
    empty = np.abs(dark - ground).max(axis=2) < 2
    assert 0.02 < empty.mean() < 0.6
    assert (glowing[~empty] == dark[~empty]).mean() > 0.999
    assert np.median(glowing[empty] - dark[empty], axis=0)[2] > 20  # of the blue wall
    page.key("w")
    assert np.abs(page.render() - ground).max(axis=2).min() < 2  # wires stand before the plain ground


def test_at_the_photos_view_no_crack_shows_between_surfaces(page, scene):
    """Surfaces are torn at each step in depth, but both sides reach up to it."""
    page.key("3")
    page.run("page.mode.glow = 0, page.mode.reset(), page.mode.orbit.follow(1), page.changed()")
    whole = page.render().astype(int)
    ground = np.array(page.run("page.ground.map(v => 255 * v)"))
    page.run("page.mode.glow = 0.55, page.changed()")
    assert (np.abs(whole - ground).max(axis=2) < 2).mean() < 1e-4  # where the edges of two cells are rounded apart
    assert (np.abs(whole - scene.image).max(axis=2) < 30).mean() > 0.999


def test_silhouettes_are_as_fine_as_the_photo_however_coarse_the_grid(page):
    """Slow frames have a grid of fewer vertices; its cells are cut along the steps in depth, pixel by pixel."""
    page.key("3")
    page.run("page.mode.turnBy(0.2, 0.1), page.mode.orbit.follow(1), page.changed()")
    fine = page.render().astype(int)
    page.run(
        "page.mode.shape.surfaces = () => PhotoShape.prototype.surfaces.call(page.mode.shape, 4000), page.changed()"
    )
    assert page.run("page.mode.shape.surfaces()[0][1]") >= 3  # pixels from one vertex to the next
    coarse = page.render().astype(int)
    page.run("delete page.mode.shape.surfaces, page.mode.reset(), page.mode.orbit.follow(1), page.changed()")
    assert np.abs(fine - page.render()).mean() > 2  # it was turned
    assert (np.abs(fine - coarse).max(axis=2) < 30).mean() > 0.995


def test_the_colours_of_near_things_do_not_stay_on_the_wall(browser, scene, tmp_path):
    """The pixels beside a card are mixed with its colour; turned, they would be an outline of it on the wall."""
    image, mixed = scene.image.copy(), np.array([250, 20, 20])
    image[60:120, [89, 150]] = mixed
    path = tmp_path / "mixed.html"
    da.write_page(path, da.make_page(replace(scene, image=image)))
    browser.open(path, "turn")
    browser.run("page.mode.turnBy(0.2, 0), page.mode.orbit.follow(1), page.changed()")
    shown = browser.render().astype(int)
    assert (np.abs(shown - CARD).max(axis=2) < 40).sum() > 1000
    assert (np.abs(shown - mixed).max(axis=2) < 60).sum() < 5


def test_wires_and_points_are_drawn(page):
    page.key("3")
    page.run("page.mode.turnBy(0.1, 0), page.mode.orbit.follow(1), page.changed()")  # else points hit all pixels
    surface = page.render()
    for key in "wp":
        page.key(key)
        assert (page.render() != surface).any()
        page.key(key)
    assert np.abs(page.render().astype(int) - surface).mean() < 0.5


def test_lengths_are_measured_with_their_uncertainty(page):
    page.key("4")
    page.mouse("mouseMoved", *at(page, 20, 20))
    assert page.run("page.stage.reading.textContent").startswith("3.000 ± 0.018 m")
    assert page.run("document.querySelector('.legend').innerText.split('\\n')") == ["near 1.00 m", "3.00 m far"]
    page.click(*at(page, 20, 60))
    page.click(*at(page, 60, 60))
    length = page.run("page.mode.measured.length")
    assert length == pytest.approx(3 * 40 / 200, abs=0.02)
    assert "±" in page.run("document.querySelector('#controls .live').textContent")
    page.run(
        "(field => { field.value = '6'; field.dispatchEvent(new Event('change')); })"
        "(document.querySelector('#control-length'))"
    )
    assert page.run("page.photo.scale") == pytest.approx(6 / length)
    page.mouse("mouseMoved", *at(page, 21, 20))
    assert page.run("parseFloat(page.stage.reading.textContent)") == pytest.approx(3 * 6 / length, rel=0.01)
    assert f"baseline_m={0.1 * 6 / length:.3g}" in page.run(
        "recipeTexts(page.data.recipe, page.photo, page.mode.recipe()).python"
    )


def test_without_a_scale_no_metres_are_claimed(browser, scene, tmp_path):
    page = da.make_page(scene, "measure")  # pyright: ignore[reportArgumentType]
    guessed = replace(page.contents, what=replace(page.contents.what, in_metres=False))  # pyright: ignore
    (tmp_path / "a.html").write_text(page_html(guessed), encoding="utf-8")
    browser.open(tmp_path / "a.html")
    browser.mouse("mouseMoved", *at(browser, 20, 20))
    said = browser.run("page.stage.reading.textContent")
    assert browser.run("document.querySelector('.legend').innerText.split('\\n')") == ["near", "far"]
    assert "no scale" in said
    assert " m " not in said


def test_the_slider_compares_with_the_photo(live):
    live.settle()
    live.key("c")
    shot = live.shot().astype(int)
    (photo, stripe), (result, beside) = (
        [np.array(color(live, shot, x + k, 30)) for k in (4, 0)]
        for x in (40, 200)  # every eighth column is a stripe
    )
    assert photo == pytest.approx(WALL, abs=14)
    assert np.abs(photo - stripe).max() > 60  # sharp
    assert np.abs(result - beside).max() < 30  # blurred
    start = live.middle("#divider")
    live.drag(start, (start[0] + 150, start[1]))
    assert live.run("page.stage.split") > 0.6
    live.run("document.querySelector('#divider').focus()")
    live.key("ArrowLeft")
    assert live.run("document.querySelector('#divider').ariaValueNow") == str(
        live.run("Math.round(100 * page.stage.split)")
    )


def test_what_is_shown_can_be_taken_away(page):
    page.key("s")
    texts = page.run("[...document.querySelectorAll('.recipe pre')].map(each => each.textContent)")
    assert texts[0].startswith("depthapps bokeh card.png r.png -o refocused.jpg --focus ")
    assert "da.refocus(opened.scene, da.BokehParams(focus_px=(" in texts[1]
    compile(texts[1], "page", "exec")
    assert page.render().shape == (HEIGHT, WIDTH, 3)


def test_what_is_taken_away_makes_what_was_shown(browser, still_life, tmp_path, monkeypatch):
    """The command and the lines of Python, as copied, in a folder of their own."""
    monkeypatch.chdir(tmp_path)
    da.write_image("still life.png", still_life.image)
    da.write_depth("depth.npy", still_life.depth_m)
    given = ["still life.png", "--depth", "depth.npy", "--focal-px", str(still_life.camera.fx)]
    run("view", *given, "-o", "a page.html")
    browser.resize(400, 300)
    browser.open(tmp_path / "a page.html", "measure")
    browser.run("page.request = () => {}")
    for mode, change, least in (
        ("refocus", "page.mode.settings.fNumber = 2, page.mode.press(425, 300)", 32),
        ("relight", "page.mode.drag(120, 60), page.mode.settings.ambient = 0.4", 28),
    ):
        browser.run(f"page.open('{mode}'), {change}")
        shown = browser.render()
        texts = browser.run("recipeTexts(page.data.recipe, page.photo, page.mode.recipe())")
        run(*shlex.split(texts["command"])[1:])
        out = tmp_path / {"refocus": "refocused.jpg", "relight": "relit.jpg"}[mode]
        made = da.read_image(out)
        assert psnr(shown, np.asarray(made)) > least
        out.unlink()
        exec(texts["python"], {})
        assert np.array_equal(da.read_image(out), made)
    assert browser.errors == []


def test_a_page_opens_with_the_lens_and_the_light_that_it_was_given(browser, scene, tmp_path):
    lens = da.BokehParams(focus_depth_m=3, f_number=2, blades=6, highlights=0.5)
    sun = da.LitBy(da.DirectionalLight.from_angles(70, 30, 2), 1.5, (1, 0.5, 0.25))
    lamp = da.PointLight((0.4, -0.3, 1.5), 0.1)
    for light, expected in (
        (sun, "--azimuth 70 --elevation 30 --angular-size 2 --intensity 1.5 --color=1,0.503,0.25"),
        (lamp, "--light point --position=0.4,-0.3,1.5 --size 0.1 --intensity 1"),
    ):
        page = da.make_page(
            scene, da.PageMode.RELIGHT, lens=lens, light=light, relighting=da.RelightParams(ambient=0.6)
        )
        da.write_page(tmp_path / "a.html", page)
        browser.open(tmp_path / "a.html")
        assert browser.run("page.mode.id") == "relight"
        assert browser.run("page.mode.recipe().command") == f"shadow SCENE -o relit.jpg {expected} --ambient 0.6"
    browser.run("page.open('refocus')")
    options = "--f-number 2 --blades 6 --highlights 0.5"
    assert browser.run("page.mode.recipe().command") == f"bokeh SCENE -o refocused.jpg --focus-depth 3 {options}"
    browser.run("page.mode.press(120, 90)")
    assert browser.run("page.mode.recipe().command") == f"bokeh SCENE -o refocused.jpg --focus 120,90 {options}"
    assert browser.errors == []


@pytest.mark.parametrize("mode", ["refocus", "relight", "turn", "measure"])
def test_every_mode_is_opened_by_its_name_and_gives_a_command(page, path, mode):
    page.open(path, mode)
    assert page.run("document.querySelector('[aria-selected=true]').id") == f"mode-{mode}"
    texts = page.run("recipeTexts(page.data.recipe, page.photo, page.mode.recipe())")
    assert texts["command"].startswith("depthapps ")
    compile(texts["python"], "page", "exec")
    unnamed = page.run(
        "[...document.querySelectorAll('button, input, [role=slider], canvas')].filter(each => !each.hidden && "
        "!(each.textContent.trim() || each.ariaLabel || each.labels?.length)).map(each => each.outerHTML)"
    )
    assert unnamed == []


def test_it_fits_a_phone(page, path):
    page.resize(390, 844, scale=2, phone=True)
    page.open(path)
    assert page.run("document.documentElement.scrollWidth") <= 390
    assert page.run("page.stage.css[2]") > 300
    assert page.run("document.querySelector('#modes').getBoundingClientRect().bottom") < 844


def test_arrow_keys_move_what_a_mode_moves(page):
    page.run("page.stage.canvas.focus()")
    x = page.run("page.mode.x")
    page.key("ArrowRight")
    assert page.run("page.mode.x") > x
    page.key("4")
    page.run("page.stage.canvas.focus()")
    page.key("Enter")
    assert page.run("page.mode.ends.length") == 1


def test_every_control_is_used_by_keys(page):
    page.run("document.querySelector('#mode-refocus').focus()")
    page.key("ArrowRight")
    assert page.run("[page.mode.id, document.activeElement.id]") == ["relight", "mode-relight"]
    page.run("document.querySelector('#controls input[type=radio]').focus()")
    page.key("ArrowRight")
    assert page.run("page.mode.light.kind") == "lamp"
    for name in ("intensity", "size", "distance", "ambient"):
        before = page.run(f"document.querySelector('#control-{name}').focus(), page.mode.settings.{name}")
        page.key("ArrowRight")
        assert page.run(f"page.mode.settings.{name}") > before
        assert page.run(f"document.querySelector('#control-{name}').getAttribute('aria-valuetext')")
    for button, state in (
        ("theme", "document.documentElement.dataset.theme"),
        ("compare", "page.stage.comparing"),
        ("take", "document.querySelector('#away').open"),
    ):
        before = page.run(f"document.querySelector('#{button}').focus(), {state}")
        page.key("Enter")
        assert page.run(state) != before
    page.key("Escape")
    assert not page.run("document.querySelector('#away').open")
    page.key("4")
    page.run("document.querySelector('[value=confidence]').focus()")
    page.key("ArrowLeft")
    assert page.run("page.mode.settings.overlay") == "depth"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_words_stand_out_from_their_ground(live, theme):
    """At least 4.5 times as light or dark, as WCAG 2 has it."""
    live.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-reduced-motion", "value": "reduce"}])
    live.run("page.request = () => {}, page.open('relight')")
    live.run(f"document.documentElement.dataset.theme = '{theme}'; page.takeAway()")
    ratios = live.run(
        """(() => {
      const light = text => { const [r, g, b] = text.match(/[\\d.]+/g).map(v => v / 255)
        .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
      const ground = at => /^rgba.*, 0\\)$/.test(getComputedStyle(at).backgroundColor) ? ground(at.parentElement)
        : getComputedStyle(at).backgroundColor;
      return [...document.querySelectorAll("h1, #modes button, .choice span, label, output, #hint, .strong")]
        .filter(each => each.checkVisibility()).map(each => {
          const [one, other] = [light(getComputedStyle(each).color), light(ground(each))].sort((a, b) => b - a);
          return [each.className + each.textContent.trim().slice(0, 20), (one + 0.05) / (other + 0.05)];
        });
    })()"""
    )
    live.send("Emulation.setEmulatedMedia", features=[])
    assert len(ratios) > 12
    assert [each for each in ratios if each[1] < 4.5] == []


@pytest.mark.parametrize(
    "lost", ["HTMLCanvasElement.prototype.getContext", "WebGL2RenderingContext.prototype.getExtension"]
)
def test_without_webgl_the_photo_is_there_and_a_sentence(browser, path, lost):
    browser.resize(390, 700)
    with browser.beforehand(f"{lost} = () => null"):
        browser.open(path)
        assert "WebGL 2" in browser.run("document.querySelector('#sorry').innerText")
        assert browser.run("document.querySelector('#still').checkVisibility()")
        left, right = browser.run("(b => [b.left, b.right])(document.querySelector('#sorry').getBoundingClientRect())")
        assert 0 <= left < right <= 390
        assert color(browser, browser.shot(), 44, 30) == pytest.approx(WALL, abs=14)
        assert browser.errors == []


# ------------------------------------------------------------------------------ fingers and tilt


def test_a_finger_turns_two_zoom_and_shift(page):
    page.key("3")
    x, y = at(page, 120, 90)
    page.touch([(x, y), (x + 20, y), (x + 40, y - 10)])
    goal = page.run("page.mode.orbit.goal")
    assert goal["yaw"] < -0.1
    assert goal["pitch"] < -0.02
    assert goal["distance"] == 1
    page.key("r")
    page.touch([(x - 20, y), (x - 40, y), (x - 60, y)], [(x + 20, y), (x + 40, y), (x + 60, y)])
    goal = page.run("page.mode.orbit.goal")
    assert goal["distance"] == pytest.approx(1 / 3, rel=0.01)  # three times as far apart, three times as near
    assert (goal["yaw"], goal["pitch"]) == (0, 0)
    page.key("r")
    page.touch([(x - 20, y), (x - 20, y + 30)], [(x + 20, y), (x + 20, y + 30)])
    goal = page.run("page.mode.orbit.goal")
    assert goal["y"] == pytest.approx(30 / page.run("page.stage.css[2]"), rel=0.01)
    assert goal["x"] == pytest.approx(0, abs=1e-9)
    assert page.run("[scrollX, scrollY, visualViewport.scale]") == [0, 0, 1]


def test_a_tap_focuses_measures_and_moves_the_light(page):
    page.touch([at(page, 40, 30)])
    assert "3.00 m" in page.run("page.stage.reading.textContent")
    page.key("4")
    page.touch([at(page, 20, 60)])
    page.touch([at(page, 60, 60)])
    assert page.run("page.mode.measured.length") == pytest.approx(0.6, abs=0.02)
    page.key("2")
    page.touch([at(page, *page.run("page.mode.light.place")), at(page, 150, 50)])
    assert page.run("page.mode.light.place") == pytest.approx([150, 50], abs=0.5)


def tilt(browser: Browser, beta: float, gamma: float) -> None:
    browser.run(
        f"dispatchEvent(new DeviceOrientationEvent('deviceorientation', {{alpha: 0, beta: {beta}, gamma: {gamma}}}))"
    )


def test_the_view_leans_with_the_phone_until_it_is_taken_hold_of(page):
    page.key("3")
    tilt(page, 55, 5)  # as it is held
    assert page.run("page.mode.orbit.goal.yaw") == 0
    tilt(page, 45, 15)
    goal = page.run("page.mode.orbit.goal")
    assert goal["yaw"] == pytest.approx(0.4 * 0.05)
    assert goal["pitch"] == pytest.approx(0.4 * 0.05)
    tilt(page, 200, 90)
    assert page.run("page.mode.orbit.goal.yaw") == pytest.approx(0.05)  # at most
    page.drag(at(page, 120, 90), at(page, 150, 90))
    held = page.run("page.mode.orbit.goal")
    tilt(page, 45, 15)
    assert page.run("page.mode.orbit.goal") == held


@pytest.mark.parametrize("answer", ["granted", "denied"])
def test_an_iphone_is_asked_for_its_tilt_once_by_a_tap(browser, path, answer):
    ask = f"() => {{ window.asked = (window.asked || 0) + 1; return Promise.resolve('{answer}'); }}"
    unknown = "navigator.permissions.query = () => Promise.reject(new TypeError('gyroscope'))"
    with browser.beforehand(
        f"if (window.DeviceOrientationEvent) {{ DeviceOrientationEvent.requestPermission = {ask}; {unknown} }}"
    ):
        browser.open(path, "turn")
        browser.run("page.request = () => {}")
        tilt(browser, 50, 0)
        tilt(browser, 50, 20)
        assert browser.run("[window.asked || 0, page.mode.orbit.goal.yaw]") == [0, 0]  # nobody may listen yet
        for _ in range(2):
            browser.click(*browser.middle("h1"))
        browser.run("page.mode.orbit.home()")
        tilt(browser, 50, 0)
        tilt(browser, 50, 20)
        yaw = pytest.approx(0.8 * 0.05 if answer == "granted" else 0)
        assert browser.run("page.mode.orbit.goal.yaw") == yaw
        assert browser.run("window.asked") == 1
        assert browser.errors == []


# ----------------------------------------------------------------------- names, and what is taken


SCRIPT_IN_A_NAME = """<img src=x onerror=window.hacked=1> "'`$(id)` ${TITLE} &amp;\u2028.png"""


def written_page(tmp_path: Path, scene: da.Scene, name: str, **exif: str) -> Path:
    """The page that the command writes of a photo of this name, in its folder."""
    picture = Pillow.fromarray(np.asarray(scene.image))
    tags = picture.getexif()
    for tag, text in exif.items():
        tags[getattr(ExifTags.Base, tag)] = text
    picture.save(tmp_path / name, exif=tags)
    da.write_depth(tmp_path / "depth.npy", scene.depth_m)
    run("view", f"./{name}", "--depth", "depth.npy", "--focal-px", 200, "-o", "a.html", "--mode", "measure")
    return tmp_path / "a.html"


def test_names_and_exif_stay_text(browser, scene, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    texts = dict.fromkeys(
        ("ImageDescription", "Artist", "Copyright"), "</script><script>window.hacked = 'exif'</script>"
    )
    page = written_page(tmp_path, scene, SCRIPT_IN_A_NAME, **texts)
    assert "exif'" not in page.read_text(encoding="utf-8")
    browser.resize(780, 400)
    browser.open(page)
    name = SCRIPT_IN_A_NAME.removesuffix(".png")
    assert browser.run("document.querySelector('h1').textContent") == name
    assert browser.run("document.querySelector('#still').alt") == name
    browser.key("s")
    assert "hacked=1" in browser.run("document.querySelector('.recipe pre').textContent")
    assert browser.run("[window.hacked, document.images.length]") == [None, 1]
    nasty = tmp_path / "b.html"
    da.write_page(nasty, da.make_page(scene, title="</script><script>window.hacked = 1</script><!-- \u2028"))
    browser.open(nasty)
    assert browser.run("window.hacked") is None
    assert browser.errors == []
    assert browser.requests == []


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has names that are no UTF-8")
def test_a_name_that_is_no_utf8_is_shown_and_opened_by_python(browser, scene, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    page = written_page(tmp_path, scene, os.fsdecode(b"caf\xe9.png"))
    browser.open(page)
    assert browser.run("document.title").startswith("caf")
    texts = browser.run("recipeTexts(page.data.recipe, page.photo, page.mode.recipe())")
    assert texts["command"] == ""  # no page can tell such a name to a shell
    exec(texts["python"].replace('depth.npy"', 'again.npy"'), {})
    assert np.array_equal(np.load(tmp_path / "again.npy"), scene.depth_m)
    assert browser.errors == []


def test_the_command_runs_in_a_shell_as_it_is_copied(browser, scene, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shim = tmp_path / "bin" / "depthapps"
    shim.parent.mkdir()
    shim.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m depthapps "$@"\n', encoding="utf-8")
    shim.chmod(0o755)
    page = written_page(tmp_path, scene, """-it's "my" $HOME; photo.png""")
    browser.open(page)
    browser.run("page.request = () => {}; page.takeAway()")
    command = browser.run("document.querySelector('.recipe pre').textContent")
    (tmp_path / "depth.npy").rename(tmp_path / "given.npy")
    command = command.replace("--depth depth.npy", "--depth given.npy")
    environment = os.environ | {"PATH": f"{shim.parent}{os.pathsep}{os.environ['PATH']}"}
    subprocess.run(command, shell=True, check=True, env=environment, timeout=100)
    assert np.array_equal(np.load(tmp_path / "depth.npy"), scene.depth_m)


def test_the_picture_is_saved_and_the_lines_are_copied(page, tmp_path):
    page.send("Page.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    page.key("s")
    page.run("document.querySelector('#save').click()")
    saved = tmp_path / "card_refocus.png"
    end = time.monotonic() + 20
    while not saved.exists() and time.monotonic() < end:
        time.sleep(0.1)
    assert da.read_image(saved).shape == (HEIGHT, WIDTH, 3)
    page.send("Browser.grantPermissions", permissions=["clipboardReadWrite", "clipboardSanitizedWrite"])
    page.click(*page.middle(".recipe button"))
    page.wait("document.querySelector('.recipe button').textContent === 'Copied'")
    text = page.run("document.querySelector('.recipe pre').textContent")
    assert page.run("navigator.clipboard.readText()") == text


def test_a_length_typed_in_for_given_depth_gives_no_command_of_another_scale(browser, scene, tmp_path):
    opened = da.OpenedScene(
        scene=scene, calibration=da.Calibration(scene.camera, 0.1), disparity_px=20 / scene.depth_m,
        metadata=da.Metadata(), depth_is_given=True, name="card",
    )  # fmt: skip
    da.write_page(tmp_path / "a.html", da.make_page(opened, da.PageMode.RELIGHT, command="a.png --depth a.npy"))
    browser.open(tmp_path / "a.html")
    browser.run("page.request = () => {}; page.takeAway()")
    assert "--depth a.npy" in browser.run("document.querySelector('#recipes').innerText")
    browser.run("document.querySelector('#away').close(); page.photo.scale = 2; page.takeAway()")
    said = browser.run("document.querySelector('#recipes').innerText")
    assert "depthapps" not in said
    assert "scales this page alone" in said


def test_a_scaled_photo_says_so_on_its_page(browser, tmp_path):
    depth = np.full((60, 2100), 2, np.float32)
    scene = da.Scene(np.full((60, 2100, 3), 90, np.uint8), depth, da.Camera.centred(2100, 60, 1500.0))
    da.write_page(tmp_path / "a.html", da.make_page(scene))
    browser.open(tmp_path / "a.html")
    browser.key("s")
    assert "2048 × 59 of 2100 × 60 pixels" in browser.run("document.querySelector('#away').innerText")


@pytest.mark.parametrize("kind", ["mesh", "points", "P for points", "turned, then R"])
def test_a_model_is_shown_from_the_photos_view(browser, tmp_path, step_scene, kind):
    image = step_scene.image.copy()
    image[:45, :60] = (250, 20, 20)
    camera = da.Camera(120, 90, 100.0, 100.0, 20.0, 44.5) if "R" in kind else step_scene.camera  # looks past its axis
    scene = da.Scene(image, step_scene.depth_m, camera)
    made = da.make_model(scene, da.ModelParams(points=True)).cloud if kind == "points" else da.make_model(scene).mesh
    contents = PageContents(PageModel(made, camera), "a model", da.PageMode.TURN)
    (tmp_path / "a.html").write_text(page_html(contents), encoding="utf-8")
    browser.resize(480, 640)
    browser.open(tmp_path / "a.html")
    if "P" in kind:
        browser.key("p")
    if "R" in kind:
        browser.run("page.mode.turnBy(1, 0.5), page.mode.zoomBy(3), page.changed()")
        browser.settle()
        browser.key("r")
    browser.settle()
    shot = browser.shot()
    assert color(browser, shot, 30, 18) == pytest.approx([250, 20, 20], abs=12)  # upright, not mirrored
    assert color(browser, shot, 90, 18) == pytest.approx([40, 80, 160], abs=12)
    assert color(browser, shot, 60, 49.5) == pytest.approx([200, 120, 60], abs=12)
    assert browser.errors == []


def test_a_page_turns_around_what_fills_the_picture_however_finely_it_is_divided(browser, tmp_path):
    near = np.array([[-1, -1, 2], [1, -1, 2], [1, 0.6, 2], [-1, 0.6, 2]], np.float32)
    x, y = np.meshgrid(np.linspace(-4, 4, 30), np.linspace(2.5, 4, 30))
    far = np.column_stack([x.ravel(), y.ravel(), np.full(x.size, 8)]).astype(np.float32)
    corner = (np.arange(29)[:, None] * 30 + np.arange(29)).ravel() + 4
    triangles = np.concatenate([[[0, 2, 1], [0, 3, 2]], np.column_stack([corner, corner + 30, corner + 1])])
    vertices = np.concatenate([near, far])
    grey = np.full((len(vertices), 3), 128, np.uint8)
    mesh = da.TriangleMesh(vertices, triangles.astype(np.int32), np.tile([0, 0, -1.0], (len(vertices), 1)), grey)
    contents = PageContents(PageModel(mesh, da.Camera.centred(120, 90, 60.0)), "two depths", da.PageMode.TURN)
    (tmp_path / "a.html").write_text(page_html(contents), encoding="utf-8")
    browser.open(tmp_path / "a.html")
    assert browser.run("page.mode.orbit.pivot[2]") == pytest.approx(2)


# ------------------------------------------------------------------------------- its scripts


UNIT = "{fx: 1, fy: 1, cx: 0, cy: 0}"
DEPTHS = "new Set(g.positions.filter((_, k) => k % 3 === 2)).size"


def layer(inverse: list[float], mark: int = 255) -> str:
    """Script of a layer of pixels with these 1/Z, all of one mark."""
    return f"{{inverse: Float32Array.from({inverse}), third: new Uint8Array({len(inverse)}).fill({mark})}}"


def grid(inverse: list[float], hidden: list[float]) -> str:
    """Script that makes the grid of a photo of two rows with these 1/Z, and those hidden behind it."""
    photo = f"width: {len(inverse) // 2}, height: 2, camera: {UNIT}, hidden: {layer(hidden)}"
    return f"photoGrid({{{photo}, ...{layer(inverse)}}}, 1, 99)"


def hidden_grid(inverse: list[float], mark: int = 255, below: str = "null") -> str:
    """Script that makes the grid of a layer of two rows that a photo hides, all of one mark."""
    photo = f"{{width: {len(inverse) // 2}, height: 2, camera: {UNIT}}}"
    return f"hiddenGrid({photo}, {layer(inverse, mark)}, {below}, 1, 99)"


HUNDRED = "{fx: 100, fy: 100, cx: 0, cy: 0}"
SCRIPTS = {
    "a median": ("[median([3, 1, 2]), median([4, 1])]", [2, 2.5]),
    "a code of depth": ("[65535, 65435, 0].map(code => inverseOfCode(code, {top: 2, step: 0.01}))", [2, 2 / math.e, 0]),
    "a pixel's point and back": (
        "pixelOf({fx: 90, fy: 80, cx: 20, cy: 30}, pointAt({fx: 90, fy: 80, cx: 20, cy: 30}, 7, 9, 0.4))", [7, 9]
    ),
    "a length across": (
        "(l => [l.length, l.sigma])(lengthBetween("
        f"{HUNDRED}, {{x: -50, y: 0, inverse: .5}}, {{x: 50, y: 0, inverse: .5}}, .01))",
        [2, 0.02 * 2**0.5],
    ),
    "a length along the line of sight": (
        "(l => [l.length, l.sigma])(lengthBetween("
        f"{HUNDRED}, {{x: 0, y: 0, inverse: 1}}, {{x: 0, y: 0, inverse: .5}}, .01))",
        [1, (0.01**2 + 0.04**2) ** 0.5],
    ),
    "a direction from the picture and back": ("placeOfDirection(directionAt(0.6, -1.1))", [0.6, -1.1]),
    "a light behind the camera": ("directionAt(0, 0)", [0, 0, -1]),
    "angles of a sun and back": ("Object.values(anglesOf(directionOf(-60, 40)))", [-60, 40]),
    "linear light": ("linearOf('#ff0080')", [1, 0, 0.2158605]),
    "a product of matrices": (
        "[...multiply(new Orbit([1, 2, 3]).matrix, projectionOf("
        "{fx: 9, fy: 9, cx: 4, cy: 3}, [0, 0, 9, 7], 1, 9))].slice(0, 3)",
        [2, 0, 0],
    ),
    "the lens of a focal length of 50 mm": (
        "[lensStrength({width: 1000, scale: 1}, 2), lensStrength({width: 1000, scale: 2}, 2)]",
        [0.05 / 0.036 * 1000 * 0.05 / 4, 0.05 / 0.036 * 1000 * 0.05 / 8],
    ),
    "an orbit at home": ("[...new Orbit([1, 2, 3]).matrix]", [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]),
    "an orbit around its pivot": (
        "(o => (o.turn(.7, .3), o.follow(1), [0, 1, 2].map(k => o.matrix[k] + 2 * o.matrix[4 + k]"
        " + 3 * o.matrix[8 + k] + o.matrix[12 + k])))(new Orbit([1, 2, 3]))",
        [1, 2, 3],
    ),
    "a surface torn at a step has two sheets there": (
        f"(g => [g.triangles.length / 3, {DEPTHS}])({grid([1, 1, 0.5, 0.5] * 2, [1, -1, -1, -1] * 2)})",
        [8, 2],
    ),
    "three surfaces in a cell have three sheets": (
        f"(g => [g.triangles.length / 3, {DEPTHS}])({grid([1, 0.5, 0.2, 0.2], [1, -1, -1, -1])})", [6, 3]
    ),
    "a small step with nothing behind it is whole": (
        f"[{grid([1, 1, 0.9, 0.9] * 2, [-1] * 8)}.triangles.length / 3]", [6]
    ),
    "no hidden surface without a mark": (f"[{hidden_grid([1, 1, 1, -1])}.triangles.length]", [3]),
    "what is hidden is joined": (
        f"[{hidden_grid([1, 0.5] * 2, below=layer([-1] * 4, 0))}.triangles.length]", [6]
    ),
    "the last hidden layer is torn at large steps": (
        f"[{hidden_grid([1, 0.4] * 2)}, {hidden_grid([1, 0.6] * 2)}].map(g => g.triangles.length)", [0, 6]
    ),
    "above what is hidden behind it, it is torn": (
        f"[{hidden_grid([1, 0.5] * 2, below=layer([0.4] * 4))}.triangles.length]", [0]
    ),
    "behind it the photo's own surface is torn": (
        f"[{hidden_grid([1, 0.5] * 2, 127, below=layer([-1] * 4, 0))}.triangles.length]", [0]
    ),
    "slow frames get fewer pixels": (
        "(p => { const all = p.share; p.moved(80); p.moved(80); p.moved(80); return [p.share < 0.9 * all] })"
        "(new Pace(true))",
        [True],
    ),
    "frames of any slowness end at the fewest": (
        "(p => { for (let k = 0; k < 90; k++) p.moved(400); return [p.share, p.slowness] })(new Pace(false))",
        [0.25, 2],
    ),
    "fast frames get more, until all": (
        "(p => { for (let k = 0; k < 200; k++) p.moved(8); return [p.share, p.slowness] })(new Pace(true))", [1, 0]
    ),
    "frames that fit keep their pixels": (
        "(p => { const all = p.share; for (let k = 0; k < 90; k++) p.moved(50); return [p.share - all] })"
        "(new Pace(true))",
        [0],
    ),
    "slow portions get smaller": (
        "(p => { p.portion = 1; p.rested(360); return [p.portion < 1] })(new Pace(true))", [True]
    ),
    "passes end when all rows of all are drawn": (
        "(p => { let rows = 0, whole = 0; for (p.restart(3, 100); !p.finished;) whole += p.step(0.3, (_, at, n) => "
        "rows += n); return [rows, whole, p.done] })(new Passes())",
        [300, 3, 3],
    ),
    "directions of a spiral": (
        "(w => [w[0], w[1], w[2], w[6], w[7]])(waysOf(0, {passes: 4, most: 2}))",
        [1, 0, 0.5, 4.5, 0.5 * math.log2(4.5)],
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", SCRIPTS)
def test_the_scripts_compute(browser, path, what):
    if browser.run("document.body?.dataset.state") != "ready" or browser.run("!page.photo"):
        browser.open(path)
    script, expected = SCRIPTS[what]
    assert browser.run(script) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("python", "expected"),
    [
        ("da.open_scene('a', 'b')", "da.open_scene('a', 'b', params=da.SceneParams(baseline_m=0.2))"),
        ("da.open_scene('a', params=da.SceneParams(fov_deg=60))",
         "da.open_scene('a', params=da.SceneParams(baseline_m=0.2, fov_deg=60))"),
        ("da.open_scene('a', params=da.SceneParams(baseline_m=1))",
         "da.open_scene('a', params=da.SceneParams(baseline_m=0.2))"),
    ],
)  # fmt: skip
def test_a_known_length_changes_the_baseline_of_the_lines(browser, path, python, expected):
    if browser.run("document.body?.dataset.state") != "ready":
        browser.open(path)
    assert browser.run(f"withBaseline({python!r}, 0.2)") == expected
