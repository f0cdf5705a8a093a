"""Compiled loops that put planes through scattered values."""

import numpy as np

# Planes are drawn towards slopes of 0 with this weight, and towards a level of 0 with a ten-thousandth of it, so that
# there is a solution where few values count, or all of them lie in one line.
_FLAT = 1e-2


def through_three(basis, values, corners, planes):
    """Write the planes through three values each into planes (M, 3); of places in one line, NaN.

    basis: (N, 3), 1 and where each value (N,) is. corners: (M, 3) their numbers.
    """
    for n in range(len(corners)):
        a, b, c = corners[n, 0], corners[n, 1], corners[n, 2]
        down, right, rise = basis[b, 1] - basis[a, 1], basis[b, 2] - basis[a, 2], values[b] - values[a]
        down_2, right_2, rise_2 = basis[c, 1] - basis[a, 1], basis[c, 2] - basis[a, 2], values[c] - values[a]
        area = down * right_2 - down_2 * right
        area = area if abs(area) > 0.01 else np.nan
        planes[n, 1] = (rise * right_2 - rise_2 * right) / area
        planes[n, 2] = (down * rise_2 - down_2 * rise) / area
        planes[n, 0] = values[a] - planes[n, 1] * basis[a, 1] - planes[n, 2] * basis[a, 2]


def refine(basis, values, left, sigma, rounds, planes):
    """Fit planes (M, 3) to the values (N,) that are left and near each, by reweighted least squares, in place.

    A value that is off by e counts exp(-e² / sigma²). left: (N,), 1 for those that count at all.
    """
    unit = 1 / (32 * sigma * sigma)
    for n in range(len(planes)):
        for _ in range(rounds):
            level, down, right = planes[n, 0], planes[n, 1], planes[n, 2]
            a = b = c = d = e = f = u = v = w = 0.0
            for k in range(len(values)):
                off = values[k] - level - down * basis[k, 1] - right * basis[k, 2]
                # Compiled loops have no exp: it is that of a thirty-second, by its series, to the power of 32.
                part = off * off * unit
                power = 1 + part * (1 + part * (1 / 2 + part * (1 / 6)))
                power *= power
                power *= power
                power *= power
                power *= power
                power *= power
                weight = left[k] / power
                a += weight
                b += weight * basis[k, 1]
                c += weight * basis[k, 2]
                d += weight * basis[k, 1] * basis[k, 1]
                e += weight * basis[k, 1] * basis[k, 2]
                f += weight * basis[k, 2] * basis[k, 2]
                u += weight * values[k]
                v += weight * values[k] * basis[k, 1]
                w += weight * values[k] * basis[k, 2]
            a, d, f = a + 1e-4 * _FLAT, d + _FLAT, f + _FLAT
            # the inverse of the symmetric matrix by its minors
            aa, ab, ac = d * f - e * e, c * e - b * f, b * e - c * d
            bb, bc, cc = a * f - c * c, b * c - a * e, a * d - b * b
            whole = a * aa + b * ab + c * ac
            planes[n, 0] = (aa * u + ab * v + ac * w) / whole
            planes[n, 1] = (ab * u + bb * v + bc * w) / whole
            planes[n, 2] = (ac * u + bc * v + cc * w) / whole
