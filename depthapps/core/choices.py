"""What people choose by name: each choice is an enumeration whose values are the words of the command line.

Free of numpy and OpenCV, since the command line builds its help from these.
"""

from enum import StrEnum


class Quality(StrEnum):
    """How much time a result may take; every stage reads the same dial."""

    FAST = "fast"
    BALANCED = "balanced"
    BEST = "best"


class Layout(StrEnum):
    """How two views share one picture; the left view stands at the left, or on top."""

    SIDE_BY_SIDE = "side-by-side"
    TOP_BOTTOM = "top-bottom"


class DepthKind(StrEnum):
    """What the numbers of a depth map are.

    METRIC: metres along the camera's axis. INVERSE: 1/metres. AFFINE_INVERSE: larger is nearer and nothing more is
    known, as monocular networks leave it.
    """

    METRIC = "metric"
    INVERSE = "inverse"
    AFFINE_INVERSE = "affine-inverse"


class Rectify(StrEnum):
    """Whether two views are brought onto common rows first: if they are not yet, not at all, or in any case."""

    AUTO = "auto"
    NEVER = "never"
    ALWAYS = "always"


class Frame(StrEnum):
    """Whose pixels a result has: those of the first photo as it was taken, or of its rectified version."""

    ORIGINAL = "original"
    RECTIFIED = "rectified"


class MapKind(StrEnum):
    """What is written of a scene's depth: pixels, metres, or a coloured picture with a legend."""

    DISPARITY = "disparity"
    DEPTH = "depth"
    PREVIEW = "preview"


class Show(StrEnum):
    """What is drawn instead of a refocused picture: the radius of the blur, what is in focus, or the depth."""

    COC = "coc"
    FOCUS = "focus"
    DEPTH = "depth"


class Preset(StrEnum):
    """What a model is for: all of its detail, a web page, or a printer."""

    FULL = "full"
    WEB = "web"
    PRINT = "print"


class Axes(StrEnum):
    """Where Y and Z of a model point: down and forward as a camera's, or up and backward as viewers have them."""

    CAMERA = "camera"
    VIEWER = "viewer"


class LightKind(StrEnum):
    """A sun, a lamp, or a lamp with a beam."""

    DIRECTIONAL = "directional"
    POINT = "point"
    SPOT = "spot"
