"""Remove small isolated regions of low confidence from a disparity map."""

from __future__ import annotations

import cv2
import numpy as np

from depthapps.core.scene import FloatMap

# Over 26 real pairs this takes bad1 of `best` from 11.99 to 11.96 % and D1 from 6.00 to 5.90 %; of `balanced` from
# 12.05 to 12.01 % and from 6.05 to 5.99 %. Sizes of 0.0002 to 0.0008, steps of 0.75 to 1.5 px and confidences of 0.4 to
# 0.6 do as well.
LARGEST_SHARE = 0.0005  # area of the largest island, as a share of the picture
STEP_PX = 1.0  # neighbours that differ by at most this belong to one island
SUREST = 0.5  # an island is removed if its mean confidence is below this
_UNITS = 16  # steps a pixel when disparity is converted to int16


def remove_specks(disparity: FloatMap, confidence: FloatMap) -> FloatMap:
    """Remove small islands with a low mean confidence (H, W) from a complete disparity map (H, W) px.

    Their pixels take the disparity of the nearest pixel that is kept.
    """
    nowhere = np.iinfo(np.int16).min
    units = np.clip(np.rint(disparity * _UNITS), nowhere + 1, np.iinfo(np.int16).max).astype(np.int16)
    cv2.filterSpeckles(units, nowhere, int(LARGEST_SHARE * disparity.size), STEP_PX * _UNITS)
    count, label = cv2.connectedComponents((units == nowhere).astype(np.uint8))
    label = np.asarray(label, np.intp).ravel()
    sure = np.bincount(label, confidence.ravel(), count) / np.maximum(np.bincount(label, minlength=count), 1)
    sure[0] = np.inf  # label 0: pixels outside all islands
    specks = (sure < SUREST)[label].reshape(disparity.shape)
    if not specks.any() or specks.all():
        return disparity
    _, nearest = cv2.distanceTransformWithLabels(
        specks.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    nearest = np.asarray(nearest, np.intp)
    there = np.empty(nearest.max() + 1, np.float32)
    there[nearest[~specks]] = disparity[~specks]
    return there[nearest]
