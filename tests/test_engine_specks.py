"""Small islands that are likely wrong go; sure ones, and large ones, stay."""

import numpy as np

from depthapps.engine.matching.specks import LARGEST_SHARE, remove_specks

HEIGHT, WIDTH = 200, 300
SIDE = int((LARGEST_SHARE * HEIGHT * WIDTH) ** 0.5)


def ramp():
    return np.tile(np.linspace(10, 40, WIDTH, dtype=np.float32), (HEIGHT, 1))


def test_an_unsure_island_takes_what_is_around_it():
    disparity, confidence = ramp(), np.ones((HEIGHT, WIDTH), np.float32)
    island = np.s_[100 : 100 + SIDE, 50 : 50 + SIDE]
    disparity[island] += 20
    confidence[island] = 0.3
    assert np.abs(remove_specks(disparity, confidence) - ramp()).max() < 0.2 * SIDE


def test_a_sure_island_and_a_large_one_stay():
    disparity, confidence = ramp(), np.ones((HEIGHT, WIDTH), np.float32)
    disparity[100 : 100 + SIDE, 50 : 50 + SIDE] += 20
    disparity[20 : 20 + 2 * SIDE, 150 : 150 + 2 * SIDE] += 20
    confidence[20 : 20 + 2 * SIDE, 150 : 150 + 2 * SIDE] = 0.1
    assert np.array_equal(remove_specks(disparity, confidence), disparity)


def test_nothing_but_islands_stays_as_it_is():
    noise = np.random.default_rng(0).uniform(0, 90, (HEIGHT, WIDTH)).astype(np.float32)
    found = remove_specks(noise, np.zeros((HEIGHT, WIDTH), np.float32))
    assert np.isfinite(found).all()
    alone = np.kron(np.indices((10, 10)).sum(0) % 2 * 50, np.ones((2, 2))).astype(np.float32)
    assert np.array_equal(remove_specks(alone, np.zeros_like(alone)), alone)
