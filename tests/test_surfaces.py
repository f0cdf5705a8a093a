"""Plain surfaces as whole planes, of matches on their rims."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from depthapps.engine.matching.correlation import Texture
from depthapps.engine.matching.plane_evidence import _shading_cost, gather_evidence, rank_planes
from depthapps.engine.matching.plane_fits import Plane, fit_planes
from depthapps.engine.matching.regions import Region
from depthapps.engine.matching.surfaces import _best_planes, _drawn, _hidden_texture, fit_surfaces

SHAPE = (160, 240)
ROWS, COLUMNS = np.indices(SHAPE)
WALL = (10 + 0.05 * COLUMNS - 0.02 * ROWS).astype(np.float32)  # its true disparity, px


def wall_in_frame(*, cable: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """A plain wall in a frame of checks that hangs on it: the left view (H, W, 3), and the mask of what is plain."""
    plain = np.zeros(SHAPE, np.bool_)
    plain[30:-30, 40:-40] = True
    checks = np.where((ROWS // 4 + COLUMNS // 4) % 2 > 0, 60, 200)
    grey = np.where(plain, 150, checks).astype(np.uint8)
    if cable:
        grey[np.abs(ROWS - 80) <= 1] = 20
        plain[np.abs(ROWS - 80) <= 2] = False  # its edges in a picture of half the size
    return np.repeat(grey[..., None], 3, axis=2), plain


RIGHT = np.full(SHAPE, 150, np.uint8)  # its shading tells nothing


def seen_from_right(left: np.ndarray, disparity: np.ndarray) -> np.ndarray:
    """The right view (H, W) of a grey left view (H, W) and its disparity; what only it shows is 150."""
    right = RIGHT.copy()
    rows, columns = np.unravel_index(np.argsort(disparity, axis=None, kind="stable"), SHAPE)  # the nearest last
    for beside in (0, 1):
        landing = np.floor(columns - disparity[rows, columns]).astype(int) + beside
        inside = (landing >= 0) & (landing < SHAPE[1])
        right[rows[inside], landing[inside]] = left[rows[inside], columns[inside]]
    return right


@pytest.mark.parametrize("cable", [False, True])
def test_a_plain_wall_is_the_plane_of_its_frame(cable):
    left, plain = wall_in_frame(cable=cable)
    known = np.where(plain, np.nan, WALL).astype(np.float32)
    if cable:  # which hangs in front of the wall
        known[np.abs(ROWS - 80) <= 2] = 60
    surfaces = fit_surfaces(left, RIGHT, known)
    # corners beside cable and frame may be left out
    assert np.mean(np.abs(surfaces.by_rims - WALL)[plain] < 0.3) > 0.99
    filled = surfaces.onto(known)
    assert np.mean(np.abs(filled - WALL)[plain] < 0.3) > 0.99
    assert np.array_equal(filled[:20], known[:20])


def test_what_stands_in_front_does_not_move_the_wall():
    left, plain = wall_in_frame()
    known = np.where(plain, np.nan, WALL).astype(np.float32)
    known[~plain & (COLUMNS < 120)] = 70  # more than half of the rim
    guess = fit_surfaces(left, RIGHT, known).by_rims
    assert np.abs(guess - WALL)[plain].max() < 0.3


def test_two_walls_of_one_colour_take_a_plane_each():
    left, plain = wall_in_frame()
    corner = np.maximum(WALL, WALL[:, 120:121] + 0.5 * (COLUMNS - 120)).astype(np.float32)
    known = np.where(plain, np.nan, corner).astype(np.float32)
    guess = fit_surfaces(left, RIGHT, known).by_rims
    wrong = (np.abs(guess - corner) > 1)[plain]
    assert wrong.mean() < 0.1
    one_plane = (np.abs(WALL - corner) > 1)[plain]
    assert one_plane.mean() > 0.4


def test_thin_matches_on_a_plain_wall_give_way_and_dense_ones_stay():
    left, plain = wall_in_frame()
    bulge = (WALL + 12 * np.exp(-((ROWS - 80) ** 2 + (COLUMNS - 120) ** 2) / 800)).astype(np.float32)
    thin = np.where(plain & ((ROWS + COLUMNS) % 3 > 0), np.nan, bulge).astype(np.float32)
    far_inside = np.zeros(SHAPE, np.bool_)
    far_inside[40:-40, 50:-50] = True  # no gradient of the frame near
    taken = fit_surfaces(left, RIGHT, thin).onto(thin, trusted=True)
    assert np.abs(taken - WALL)[far_inside].max() < 0.5
    kept = fit_surfaces(left, RIGHT, bulge).onto(bulge, trusted=True)
    assert np.array_equal(kept[far_inside], bulge[far_inside])


def test_without_matches_there_are_no_planes():
    left, _ = wall_in_frame()
    nothing = np.full(SHAPE, np.nan, np.float32)
    surfaces = fit_surfaces(left, RIGHT, nothing)
    assert np.isnan(surfaces.by_rims).all()
    assert np.isnan(surfaces.by_insides).all()
    assert np.isnan(surfaces.onto(nothing)).all()


def test_a_wall_hides_no_match_with_texture():
    """Most of its rim is of things before the wall; what is seen of a picture on it tells where it is."""
    left, plain = wall_in_frame()
    known = np.full(SHAPE, 70, np.float32)
    picture = (np.abs(ROWS - 80) < 6) & (np.abs(COLUMNS - 120) < 6)
    left[picture] += ((COLUMNS // 3) % 2 * 7).astype(np.uint8)[picture][:, None]  # faint
    known[40:-40, 50:-50] = WALL[40:-40, 50:-50]
    known[plain & ~picture & (np.random.default_rng(0).random(SHAPE) < 0.15)] = np.nan  # else it needs no plane
    surfaces = fit_surfaces(left, RIGHT, known)
    assert np.mean(np.abs(surfaces.by_rims - WALL)[40:-40, 50:-50] < 0.3) > 0.9


def test_most_of_what_is_matched_inside_may_lie_behind_no_wall():
    """All of its rim is of things before the wall, which is plain, and a quarter of it is matched."""
    left, plain = wall_in_frame()
    known = np.where(plain, np.nan, WALL + 12).astype(np.float32)
    thinly = plain & (np.random.default_rng(0).random(SHAPE) < 0.25)
    known[thinly] = WALL[thinly]
    surfaces = fit_surfaces(left, RIGHT, known)
    assert np.mean(np.abs(surfaces.by_rims - WALL)[plain] < 0.3) > 0.95
    assert np.mean(np.abs(surfaces.by_insides - WALL - 12)[plain] < 0.3) > 0.95  # the second guess
    nearer = np.where(thinly, WALL + 24, known).astype(np.float32)  # what a matcher makes up hides nothing
    surfaces = fit_surfaces(left, RIGHT, nearer)
    assert np.mean(np.abs(surfaces.by_rims - WALL - 12)[plain] < 0.3) > 0.95


def test_what_is_matched_behind_a_wall_whose_texture_tells_where_it_is_was_matched_by_chance():
    left, plain = wall_in_frame()
    rng = np.random.default_rng(0)
    left[plain] = (150 + rng.normal(0, 1, SHAPE))[plain].astype(np.uint8)[:, None]
    right = seen_from_right(left[..., 0], WALL + 12)
    known = np.where(plain, np.nan, WALL + 12).astype(np.float32)
    thinly = plain & (rng.random(SHAPE) < 0.25) & (np.abs(cv2.Sobel(left[..., 0], cv2.CV_32F, 1, 0)) < 4)
    known[thinly] = WALL[thinly]
    surfaces = fit_surfaces(left, right, known)
    assert np.mean(np.abs(surfaces.by_rims - WALL - 12)[plain] < 0.3) > 0.95


def test_a_surface_that_is_densely_matched_is_not_its_rims():
    left, plain = wall_in_frame()
    known = np.where(plain, WALL - 2, WALL + 12).astype(np.float32)
    known[plain & (np.random.default_rng(0).random(SHAPE) < 0.15)] = np.nan
    surfaces = fit_surfaces(left, RIGHT, known)
    assert np.mean(np.abs(surfaces.by_rims - WALL + 2)[plain] < 0.3) > 0.95


@pytest.mark.parametrize(("unmatched", "flat"), [(0.0, False), (0.04, False), (0.2, True)])
def test_a_surface_that_is_matched_all_over_takes_no_plane(unmatched, flat):
    left, plain = wall_in_frame()
    known = (WALL + 0.3 * np.sin(ROWS / 5)).astype(np.float32)  # waves so low that a plane would hold them
    known[plain & (np.random.default_rng(0).random(SHAPE) < unmatched)] = np.nan
    surfaces = fit_surfaces(left, RIGHT, known)
    inside = cv2.erode(plain.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    assert np.isfinite(surfaces.by_rims[inside]).mean() == flat


def test_matches_of_all_depths_make_no_plane():
    left, plain = wall_in_frame()
    known = np.where(plain, np.nan, np.random.default_rng(0).uniform(0, 100, SHAPE)).astype(np.float32)
    assert np.isnan(fit_surfaces(left, RIGHT, known).by_rims[plain]).all()


@pytest.mark.parametrize("shape", [(1, 1), (7, 9), (33, 2)])
def test_small_pictures_are_taken(shape):
    left, known = np.full((*shape, 3), 90, np.uint8), np.full(shape, 4, np.float32)
    assert {part.shape for part in fit_surfaces(left, left[..., 0].copy(), known)} == {shape}


def test_the_same_matches_give_the_same_planes():
    left, plain = wall_in_frame()
    known = np.where(plain, np.nan, WALL).astype(np.float32)
    first, again = (fit_surfaces(left, RIGHT, known) for _ in range(2))
    assert all(np.array_equal(a, b, equal_nan=True) for a, b in zip(first, again, strict=True))


def test_planes_are_found_among_wrong_values():
    rng = np.random.default_rng(1)
    places = rng.uniform(0, 100, (400, 2))
    values = 5 + 0.1 * places[:, 0] - 0.05 * places[:, 1]
    values[:150] = rng.uniform(30, 90, 150)
    planes = fit_planes(places, values.astype(np.float32), 1, 0.12, rng, opaque=True)
    assert np.allclose(planes, [[5, 0.1, -0.05]], atol=0.01)


@pytest.mark.parametrize("seed", range(5))
def test_a_wall_is_found_behind_what_covers_most_of_it(seed):
    """More values are on the front of a wardrobe before it, which a plane through both would hold as well."""
    rng = np.random.default_rng(seed)
    places = rng.uniform(0, 100, (600, 2))
    values = 5 + 0.02 * places[:, 1]
    values[:240] = 14 + rng.normal(0, 1.5, 240)
    values[240:480] = rng.uniform(8, 40, 240)
    planes = fit_planes(places, values.astype(np.float32), 4, 0.12, rng, opaque=True)
    assert np.allclose(planes, [[5, 0, 0.02]], atol=0.02)


def test_a_plane_that_hides_matches_behind_it_is_none():
    rng = np.random.default_rng(1)
    places = rng.uniform(0, 100, (400, 2))
    values = np.where(np.arange(400) < 240, 40, rng.uniform(0, 30, 400)).astype(np.float32)
    assert len(fit_planes(places, values, 1, 0.12, rng, opaque=False)) == 1
    assert not fit_planes(places, values, 1, 0.12, rng, opaque=True)


@pytest.mark.parametrize("opaque", [False, True])
@pytest.mark.parametrize("seed", range(6))
def test_planes_are_those_of_a_plain_loop(seed, opaque):
    rng = np.random.default_rng(seed)
    places = rng.uniform(0, 100, (300, 2))
    values = np.where(np.arange(300) < 130, 9 + 0.05 * places[:, 0], 30 - 0.1 * places[:, 1])
    values[rng.random(300) < 0.4] = 40 * rng.random()
    values = (values + rng.normal(0, 0.3, 300)).astype(np.float32)
    found = fit_planes(places, values, 3, 0.12, np.random.default_rng(seed), opaque=opaque)
    expected = plainly_fitted(places, values, np.random.default_rng(seed).random((3, 180, 3), np.float32), opaque)
    assert len(found) >= 1
    assert np.allclose(found, expected, atol=1e-3)


def plainly_fitted(places: np.ndarray, values: np.ndarray, draws: np.ndarray, opaque: bool) -> list[np.ndarray]:
    """The planes that `fit_planes` finds with these random numbers (R, 180, 3), of which 20 draw constant ones."""
    middle = places.mean(axis=0)
    basis = np.column_stack([np.ones(len(places)), (places - middle) / 50])
    left, planes = np.ones(len(values), bool), []

    def likely(errors: np.ndarray) -> np.ndarray:
        return np.exp(-((errors / 0.7) ** 2))

    def votes(trials: np.ndarray) -> np.ndarray:
        errors = values - trials @ basis.T
        return likely(errors) @ left - 2.0 * opaque * (errors < -1.4).sum(axis=1)

    for drawn in draws:
        at = np.flatnonzero(left)
        if len(at) < max(10, 0.12 * len(values)):
            break
        trials = []
        for k, corners in enumerate(at[(drawn * len(at)).astype(int)]):
            if k < 20:
                trials.append([values[corners[0]], 0, 0])
            elif abs(np.linalg.det(basis[corners])) > 0.01:
                plane = np.linalg.solve(basis[corners], values[corners])
                trials += [plane] if np.hypot(*plane[1:]) < 1.2 * 50 else []
        trials = np.array(trials)
        best = trials[np.argsort(-votes(trials))[:5]]
        for plane in best:
            for _ in range(4):
                weights = likely(values - basis @ plane) * left
                flat = np.diag([1e-6, 1e-2, 1e-2])
                plane[:] = np.linalg.solve((basis.T * weights) @ basis + flat, (basis.T * weights) @ values)
        plane = best[votes(best).argmax()]
        error = values - basis @ plane
        held, behind = np.abs(error) < 1.4, error < -2.1
        if (held & left).mean() < 0.12:
            break
        if not opaque or behind.mean() < 0.2 * held.mean():
            planes.append(np.array([plane[0] - plane[1:] @ middle / 50, *plane[1:] / 50]))
        left &= ~held
    return planes


def test_planes_are_drawn_as_by_a_plain_loop():
    rng = np.random.default_rng(0)
    labels = rng.integers(-1, 3, (20, 26)).astype(np.int32)
    planes: list[Plane] = [rng.normal(0, (20, 1, 1)) for _ in range(3)]
    drawn = _drawn(labels, planes, (39, 51))
    for y in range(39):
        for x in range(51):
            label = labels[y // 2, x // 2]
            expected = planes[label] @ (1, y / 2, x / 2) if label >= 0 else np.nan
            assert np.isclose(drawn[y, x], expected, atol=1e-4, equal_nan=True)
    assert np.isnan(_drawn(np.full((20, 26), -1, np.int32), [], (40, 52))).all()


def test_a_floor_that_would_lead_below_the_horizon_leaves_the_wall_behind_it_alone():
    floor = np.random.default_rng(0).integers(90, 150, SHAPE)  # of the wall's colour, seen from afar
    picture = (np.abs(ROWS - 25) < 12) & (np.abs(COLUMNS - 120) < 12)
    above = ROWS < 70
    grey = np.where(above, 118, floor).astype(np.uint8)
    grey[picture] = 40
    true = np.where(above, 12, 12 + 0.6 * (ROWS - 70)).astype(np.float32)
    beside = cv2.dilate(picture.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    known = np.where(above & ~beside, np.nan, true).astype(np.float32)
    surfaces = fit_surfaces(np.repeat(grey[..., None], 3, axis=2), seen_from_right(grey, true), known)
    assert (np.abs(surfaces.onto(known) - true)[above] < 2).mean() > 0.9


@pytest.mark.parametrize(
    ("removed", "unit"), [(0.0, 0.5), (4.0, 1.5)]
)  # of 4 levels, 1 is left at a quarter of the size
def test_shading_counts_less_where_either_view_was_noisy(removed, unit):
    grey = np.full(SHAPE, 150, np.uint8)
    nothing = np.zeros((SHAPE[0] // 2, SHAPE[1] // 2), np.bool_)
    assert gather_evidence(grey, RIGHT, WALL, np.zeros(SHAPE, np.float32), nothing, removed).unit == unit


def shaded_wall_behind_a_lamp() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A wall with faint shading at 12 px, a dark lamp before it at 36 px: the left view, the disparity, the lamp."""
    lamp = (np.abs(COLUMNS - 130) < 30) & (ROWS > 30)
    shading = cv2.GaussianBlur(np.random.default_rng(5).normal(0, 1, SHAPE).astype(np.float32), (0, 0), 6)
    grey = np.where(lamp, 60, 150 + 3 * shading / shading.std()).astype(np.uint8)
    return grey, np.where(lamp, 36, 12).astype(np.float32), lamp


def shading_costs(
    grey: np.ndarray, right: np.ndarray, known: np.ndarray, level: float, columns: slice, shown: slice = slice(None)
) -> np.ndarray:
    """The costs (h, w) of shading at a disparity, in columns of the picture of half the size, or in some of them."""
    nothing, thin = np.zeros(SHAPE, np.float32), np.zeros((SHAPE[0] // 2, SHAPE[1] // 2), np.bool_)
    seen = gather_evidence(grey, right, known, nothing, thin, 0.0)
    mask = np.zeros((thin.shape[0], columns.stop - columns.start), np.bool_)
    mask[:, shown] = True
    region = Region(slice(0, thin.shape[0]), columns, mask, mask)
    return _shading_cost(seen, region, np.full(mask.shape, level, np.float32))


def costs_left_of_the_lamp(level: float, *, matched: bool) -> np.ndarray:
    """The costs of the wall's shading, were it at a disparity, along a row that the lamp partly hides in the right."""
    grey, true, lamp = shaded_wall_behind_a_lamp()
    known = np.where(lamp & matched, true, np.nan).astype(np.float32)
    return shading_costs(grey, seen_from_right(grey, true), known, level, slice(0, 50))[40, 20:45]


def test_shading_beside_a_nearer_thing_is_compared_without_what_that_hides():
    true = costs_left_of_the_lamp(12, matched=True).max()
    assert true < 1
    assert costs_left_of_the_lamp(36, matched=True).min() > 4 * true  # where the lamp is
    assert costs_left_of_the_lamp(12, matched=False).max() > 4 * true  # not known to be hidden


def test_a_plane_that_would_be_hidden_everywhere_costs_what_its_shading_does():
    grey, _, _ = shaded_wall_behind_a_lamp()
    known = np.full(SHAPE, 50, np.float32)
    wrong, right = (shading_costs(grey, grey, known, level, slice(10, 80)) for level in (12, 0))
    assert wrong.mean() > right.mean() + 1


def test_a_plane_that_is_hidden_but_for_a_few_pixels_is_not_nearly_free():
    grey, _, _ = shaded_wall_behind_a_lamp()
    known = np.full(SHAPE, 50, np.float32)
    hidden = shading_costs(grey, grey, known, 24, slice(10, 110)).mean()
    known[80:84, 120:140] = np.nan
    assert shading_costs(grey, grey, known, 24, slice(10, 110)).mean() > 0.9 * hidden


def test_a_match_hides_no_plane_that_is_as_near_but_for_its_error():
    grey, _, _ = shaded_wall_behind_a_lamp()
    right = np.where(ROWS < 80, 255 - grey, grey)  # the upper half is spoilt
    known = np.where(ROWS < 80, 1.5, np.nan).astype(np.float32)
    costs = shading_costs(grey, right, known, 0, slice(0, 110))
    assert costs[:36].mean() > costs[44:].mean() + 1


def test_what_is_narrower_than_a_pixel_of_the_small_views_is_compared_all_the_same():
    grey, _, _ = shaded_wall_behind_a_lamp()
    unknown = np.full(SHAPE, np.nan, np.float32)
    wrong, right = (
        shading_costs(grey, grey, unknown, level, slice(40, 80), slice(0, None, 2)).mean() for level in (30, 0)
    )
    assert wrong > right + 1


def test_shading_beyond_the_border_of_the_right_view_costs_as_much_as_the_rest():
    grey, _, lamp = shaded_wall_behind_a_lamp()
    grey[lamp] = 150
    right = seen_from_right(grey, np.full(SHAPE, 40, np.float32))
    unknown = np.full(SHAPE, np.nan, np.float32)
    true, wrong = (shading_costs(grey, right, unknown, level, slice(0, 110)) for level in (40, 60))
    assert true.max() < 1
    assert np.allclose(wrong[:, :20], wrong[:, 70:].mean(), rtol=0.3)  # 60 px of the view lie beyond


@pytest.mark.parametrize(("textured", "hidden"), [(False, False), (True, True)])
def test_what_is_behind_a_plane_counts_against_it_only_with_texture(textured, hidden):
    """A wall's rim is 20 px nearer than what is matched inside, as a matcher makes up where nothing is to be seen."""
    flat = np.full(SHAPE, 150, np.uint8)
    wall = np.zeros((SHAPE[0] // 2, SHAPE[1] // 2), np.bool_)
    wall[10:-10, 10:-10] = True
    rim = ~wall.repeat(2, 0).repeat(2, 1)
    known = np.where(rim, 30, 10).astype(np.float32)
    gradient = np.where(rim | textured, 20, 0).astype(np.float32)
    seen = gather_evidence(flat, flat, known, gradient, np.zeros(wall.shape, np.bool_), 0.0)
    near = cv2.dilate(wall.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    region = Region(slice(0, wall.shape[0]), slice(0, wall.shape[1]), wall, near)
    planes = [np.array([level, 0.0, 0.0]) for level in (30, 10, 20)]
    likely = Texture(seen.bands, region, np.random.default_rng(0)).likelihoods(planes)
    ranks = rank_planes(seen, region, planes, likely)
    middle = ranks[:, wall.shape[0] // 2, wall.shape[1] // 2]
    assert (middle[2] < -1.5) == (middle[2] < -0.1) == hidden  # at 20 px, what is matched inside lies behind
    assert (middle[0] < middle[1]) == hidden


@pytest.mark.parametrize(("told", "hides", "first"), [(True, False, 1), (False, False, 0), (True, True, 0)])
def test_the_planes_of_the_inside_come_first_where_the_texture_speaks_for_them(told, hides, first):
    """Matches of a wall's rim, which is nearer, and a few inside, which do not suffice without texture."""
    texture = cv2.GaussianBlur(np.random.default_rng(3).normal(0, 1, SHAPE).astype(np.float32), (0, 0), 2)
    grey = np.rint(140 + told * 1.5 * texture / texture.std()).astype(np.uint8)
    known = np.full(SHAPE, np.nan, np.float32)
    known[:8], known[70:90, 100:140] = WALL[:8] + 16, WALL[70:90, 100:140]
    if hides:  # what would be behind the wall
        known[-8:] = WALL[-8:] - 6
    thin = np.zeros((SHAPE[0] // 2, SHAPE[1] // 2), np.bool_)
    gradient = np.where(known == WALL, 9 * (not told), 9).astype(np.float32)
    seen = gather_evidence(grey, seen_from_right(grey, WALL), known, gradient, thin, 0)
    mask = ~thin
    mask[:, 80:] = False  # where nothing is told, in the region's frame
    region = Region(slice(0, thin.shape[0]), slice(0, thin.shape[1]), mask, ~thin)
    inside = np.array([10, -0.04, 0.1])
    rim = inside + np.array([16 if not hides else -6, 0, 0])
    best = _best_planes(seen, region, Texture(seen.bands, region, np.random.default_rng(0)), [rim], [inside])
    assert [np.unique(each[mask]).tolist() for each in best] == [[first], [1 - first]]


def test_the_texture_that_a_plane_would_hide_is_that_of_the_region_and_its_rim():
    mask, near, thin = (np.zeros((SHAPE[0] // 2, SHAPE[1] // 2), np.bool_) for _ in range(3))
    mask[20:40, 20:40], near[20:40, 18:40] = True, True
    known = np.full(SHAPE, 30, np.float32)
    known[:, :40] = 10  # the rim, and all that is not near
    known[40:60, 60:80] = 5
    gradient = np.full(SHAPE, 20, np.float32)
    gradient[40:60, 60:80] = 0  # plain
    grey = np.full(SHAPE, 150, np.uint8)
    region = Region(slice(0, mask.shape[0]), slice(0, mask.shape[1]), mask, near)
    seen = gather_evidence(grey, grey, known, gradient, thin, 0)
    share = _hidden_texture(seen, region, [np.array([20, 0, 0])], np.zeros(mask.shape, np.intp))
    assert share == pytest.approx(40 / (400 - 100 + 40))  # the rim of 2 px, of what has texture
