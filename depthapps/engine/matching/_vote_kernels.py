"""Compiled loops that let pixels of one colour vote for candidate disparities."""

import numpy as np

_SAME_PX = np.float32(1)


def take_votes(disparity, trust, red, green, blue, places, samples, likeness, candidates, first, end, shares):
    """Write into shares (P, K) what share of the samples around the places first to end agrees with each candidate.

    disparity px and trust (N,) float32, red, green and blue (N,) uint8: maps, flattened. places: (P,); samples: (S,),
    how far from each they are, in the flattened maps. likeness: (766,), the weight of a sample by the sum of the
    channels' differences; its trust counts as well. candidates: (P, K) px.
    """
    for n in range(np.uint64(first), np.uint64(end)):
        place, total = np.uint64(places[n]), np.float32(0)
        for k in range(np.uint64(candidates.shape[1])):
            shares[n, k] = np.float32(0)
        for s in range(np.uint64(len(samples))):
            at = np.uint64(places[n] + samples[s])
            apart = abs(np.int32(red[at]) - np.int32(red[place])) + abs(np.int32(green[at]) - np.int32(green[place]))
            weight = trust[at] * likeness[np.uint64(apart + abs(np.int32(blue[at]) - np.int32(blue[place])))]
            total += weight
            for k in range(np.uint64(candidates.shape[1])):
                agrees = abs(disparity[at] - candidates[n, k]) < _SAME_PX
                shares[n, k] += weight if agrees else np.float32(0)
        for k in range(np.uint64(candidates.shape[1])):
            shares[n, k] /= max(total, np.float32(1e-9))
