"""The table of names: what the numbers of a calibration are called by the programs that write one, and their shapes.

To understand another program's file, add its names to the row of what they mean. Names are compared without case,
blanks and punctuation, and without what tells the camera: `cameraMatrix_left`, `K1` and `LEFT.K` are cameramatrix, k
and k of the left, the first and the left camera. A name may stand in several rows if its shapes differ: `k1` with one
number is a coefficient, with nine it is K of camera 1.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class Row(NamedTuple):
    """One meaning: how many numbers it has (0: a text), and its names."""

    meaning: str
    sizes: tuple[int, ...]
    names: str


TABLE = (
    # the camera as built
    Row("K", (9,), "k m a kk newmtx newcameramtx cam camera cameramatrix cameram mtx matrix intrinsic intrinsics "
        "intrinsicmatrix cameraintrinsic "
        "cameraintrinsics cameraintrinsicmatrix intrinsicsmatrix kmatrix camerak cameraa calibrationmatrix "
        "intrinsicparameters "
        "cammat cmat cm c cameramat cammatrix cammtx newcameramatrix kcam"),
    Row("intrinsics", (4, 5, 6), "intrinsics intrinsic projection cameraparams intrinsicparameters pinhole"),
    Row("fx", (1,), "fx fcx f focal focallength focallengthx focallengthxpx flx focalx focallengthpx focallengthpixels "
        "fpx fxpx "
        "scan3dfocallength chunkscan3dfocallength mu gamma1 focalpx"),
    Row("fy", (1,), "fy fcy fypx focallengthy focallengthypx fly focaly scan3dfocallengthy mv gamma2"),
    Row("cx", (1,), "cx ccx cxpx ppx u0 u px0 x0 centerx centrex focalcenterxpx principalpointx principalpointu "
        "opticalcenterx scan3dprincipalpointu chunkscan3dprincipalpointu"),
    Row("cy", (1,), "cy ccy cypx ppy v0 v y0 centery centrey focalcenterypx principalpointy principalpointv "
        "opticalcentery scan3dprincipalpointv chunkscan3dprincipalpointv"),
    Row("focal", (2,), "fc f focal focallength focallengths focallengthpx"),
    Row("centre", (2,), "cc c principalpoint pp center opticalcenter principal"),
    # its lens
    Row("D", (1, 2, 3, 4, 5, 6, 8, 12, 14), "d dist distortion distcoeff distcoeffs distcoef distcoefs dcoeffs "
        "coeffs coeff kc "
        "distortioncoeff distortioncoeffs distortioncoef distortioncoefs distortioncoefficient distortioncoefficients "
        "distortionparameters distortionparams distortionvector distcoefficients lensdistortion "
        "distortioncoefficents distortions coefs"),
    *(Row(name, (1,), f"{name} distortion{name} distortionparameters{name} radial{name} tangential{name}")
      for name in ("k1", "k2", "k3", "k4", "k5", "k6", "p1", "p2")),
    Row("radial", (2, 3, 6), "radialdistortion radial radialcoefficients radialdistortioncoefficients"),
    Row("tangential", (2,), "tangentialdistortion tangential tangentialcoefficients"),
    Row("xi", (1,), "xi mirrorparametersxi mirrorxi"),
    Row("alpha", (1,), "alpha"),
    Row("beta", (1,), "beta"),
    Row("model", (0,), "distortionmodel cameramodel modeltype model cameratype type distortion projectionmodel "
        "lensmodel "
        "distortiontype lenstype cameramodelname"),
    Row("fisheye", (1,), "fisheye isfisheye cameratype"),
    Row("colmap", (0,), "colmapmodel"),
    Row("params", (3, 4, 5, 6, 8, 12), "colmapparams params"),
    # its pictures
    Row("width", (1,), "width imagewidth w imgwidth imwidth cols imagesizewidth resolutionwidth sizewidth "
        "resolutionx resx imagewidthpx widthpx"),
    Row("height", (1,), "height imageheight h imgheight imheight imagesizeheight resolutionheight sizeheight "
        "resolutiony resy imageheightpx heightpx"),
    Row("size", (2,), "imagesize size resolution imgsize res s imsize imageshape imgshape shape imageresolution "
        "framesize imagedimension"),
    # the rectified pair
    Row("P", (12,), "p projectionmatrix projection proj projmat projectionrect rectifiedprojection projmatrix"),
    Row("R_rect", (9,), "rectificationmatrix rrect rectification rectificationrotation rectifyrotation rectrot "
        "rectifiedrotation"),
    Row("P_rect", (12,), "prect"),  # KITTI's: pictures of this size have S_rect, those as taken have S
    Row("S_rect", (2,), "srect"),
    Row("Q", (16,), "q qmatrix qmat disparitytodepth disparitytodepthmatrix disptodepth disparitytodepthmapping "
        "reprojectionmatrix"),
    Row("doffs", (1,), "doffs disparityoffset doff"),
    Row("baseline", (1,), "baseline b t stereobaseline stereob baselinelength scan3dbaseline chunkscan3dbaseline "
        "camerabaseline "
        "extrinsicbaseline baselinelr"),
    Row("baseline_m", (1,), "baselinem baselinemeters baselinemeter baselinemetres baselineinm stereobaselinem"),
    Row("baseline_mm", (1,), "baselinemm baselinemillimeters baselinemillimetres baselineinmm stereobaselinemm"),
    Row("baseline_cm", (1,), "baselinecm baselinecentimeters baselineincm"),
    Row("f_baseline", (1,), "bf camerabf rho focalbaseline focalxbaseline"),
    # where the cameras stand. Of a rig: X_right = R X_left + T; of one camera: X_camera = R X_world + T
    Row("R", (9, 3, 4), "r rot rotation rotationmatrix rmat rmatrix om rotm rotvec rvec stereor stereorotation "
        "posecamera2r "
        "posecamera2rotation extrinsicrotation extrinsicsrotation extrinsicsrotationmatrix rotationcoefficients rrl "
        "rlr rotmat rotationmat rstereo rotationmatrixonly"),
    Row("T", (3,), "t trans translation translationvector tvec tvector tmat stereot stereotranslation "
        "translationofcamera2 "
        "posecamera2translation extrinsictranslation extrinsicstranslation translationmatrix trl trns "
        "tlr transvec translationvec tstereo translationonly"),
    Row("R transposed", (9,), "rotationofcamera2"),  # MATLAB's points are rows
    Row("xyzw", (4,), "q"),  # Kalibr's quaternion, x y z w of the inverse rotation
    Row("q world", (4,), "qworld"),
    Row("t world", (3,), "tworld"),
    Row("to", (0, 1), "tocamerasocket tocamera"),
    Row("from world", (16, 12), "tcamimu tcw worldtocamera worldtocam w2c tci extrinsic extrinsics extrinsicmatrix "
        "tcamworld "
        "viewmatrix tcamerabody"),
    Row("to world", (16, 12), "tbs tbc tsc bodytcam timucam tic c2w twc camtoworld cameratoworld pose camerapose "
        "tworldcam tbodycam "
        "cameraextrinsic"),
    Row("to world 7", (7,), "timucam"),
    Row("to world gl", (16,), "transformmatrix"),  # X right, Y up, looking along -Z: Blender and OpenGL
    Row("from previous", (16,), "tcncnm1"),
    Row("to right", (16, 12), "trl t10 tc2c1 tlefttoright lefttoright tcam1cam0 t21 baseline transformation "
        "stereotransform posecamera2a"),
    Row("to left", (16, 12), "tlr tc1c2 trighttoleft righttoleft tcam0cam1 t01"),
    # ZED: T is baseline, TY, TZ in millimetres, and R the rotation vector RX, CV, RZ
    *(Row(f"zed {name}", (1,), name) for name in ("ty", "tz", "rx", "cv", "ry", "rz")),
    # other things, told so that they are not taken for what they are not
    Row("camera of frame", (0, 1), "cameraid"),
    Row("left camera", (1,), "leftcamerasocket"),
    Row("right camera", (1,), "rightcamerasocket"),
    Row("file", (0,), "camcalib"),
    Row("program", (0,), "reconstructedby"),
    Row("middlebury", (1,), "ndisp isint vmin dyavg"),
    Row("fov", (1,), "fov fovx fovh hfov fovdegrees fovdeg horizontalfov fieldofview cameraanglex"),
    Row("map", (0,), "stereomapx stereomapy leftstereomapx mapx mapy undistortmap"),
)  # fmt: skip

BY_NAME: dict[str, list[Row]] = {}
for _row in TABLE:
    for _name in _row.names.split():
        BY_NAME.setdefault(_name, []).append(_row)

SIDES = {"left": "left", "l": "left", "lft": "left", "right": "right", "r": "right", "rgt": "right"}
# Words of a name that tell nothing of which camera it is.
_GENERIC = (
    "cam camera cameras image raw calib calibration intrinsics intrinsic parameters params parameter info lens "
    "sensor view cameraparameters model data value values matrix colmap frames cameradata socket eye id opencv "
    "intr params intrinsicparameters "
)
GENERIC = frozenset(_GENERIC.split())
# The same cameras at several sizes of picture: words in a name, and the sizes they stand for (ZED).
SIZES = {
    "2k": (2208, 1242), "fhd": (1920, 1080), "hd": (1280, 720), "vga": (672, 376), "fhd1200": (1920, 1200),
    "svga": (960, 600), "4k": (3840, 2160), "qhdplus": (3200, 1800), "hd1200": (1920, 1200),
}  # fmt: skip

FISHEYE_WORDS = ("equidist", "fisheye", "kannala", "kb4", "kb8", "equi", "fish_eye")
PINHOLE_WORDS = (
    "plumb", "radtan", "radial", "brown", "rational", "pinhole", "perspective", "polynomial", "none", "opencv",
    "rectified", "thin_prism", "prism", "inverse brown", "frame", "distortedpinhole",
)  # fmt: skip
# The end of a name that says from the left camera to the right one, or the other way: R_cam0_to_cam1, T_left2right.
_LEFT, _RIGHT = (rf"(?:cam(?:era)?_?)?(?:{side})" for side in ("left|l|0|1", "right|r|1|2"))
_TO_RIGHT, _TO_LEFT = (
    re.compile(rf"_?{here}_?(?:to|2)_?{there}$", re.IGNORECASE) for here, there in ((_LEFT, _RIGHT), (_RIGHT, _LEFT))
)
_TOKEN = re.compile(r"(?<![A-Za-z\d])[24][kK](?![a-z\d])|[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")


def tokens_of(name: str) -> list[str]:
    """The words and numbers of a name, in small letters: cameraMatrixL gives camera, matrix, l."""
    return [t.lower() for t in _TOKEN.findall(name)]


def camera_name(name: str) -> str:
    """What a name says about the camera: left, right, a number, or its words; "" for words like camera."""
    kept = list(dict.fromkeys(t for t in tokens_of(name) if t not in GENERIC and t not in SIZES))
    return SIDES.get(kept[0], kept[0]) if len(kept) == 1 else "_".join(kept)


def size_in(words: list[str]) -> tuple[str, list[str]]:
    """The word for a size of pictures among the words of a name, "" if none, and the other words."""
    for k in range(len(words)):
        for many in (2, 1):  # fhd1200 is two words
            if (size := "".join(words[k : k + many])) in SIZES:
                return size, words[:k] + words[k + many :]
    return "", words


def is_side(camera: str) -> bool:
    """Whether a camera is called left, right or by a number alone."""
    return camera in ("left", "right") or camera.isdigit()


def cameras_between(key: str) -> tuple[str, str]:
    """The cameras that a pose leads from and to, or the one camera that a report quotes, by a heading; "" if none."""
    if quoted := re.findall(r'"([^"]{1,60})"', key):
        return camera_name(quoted[0]), camera_name(quoted[1]) if len(quoted) > 1 else ""
    if named := re.search(r"\((\w*cam\w*) to (\w*cam\w*)\)", key):
        return camera_name(named[1]), camera_name(named[2])
    if named := re.search(r"\bT_(\d)_(\d)\b", key):
        return (named[2], named[1]) if " " in key else ("", "")
    return "", ""


def rows_of(name: str) -> list[tuple[Row, str]]:
    """The rows of a name, whole first, then without the word that tells the camera."""
    name = re.sub(r"\(.*?\)", "", name) if name.count("(") == 1 else name
    if re.fullmatch(r"[KDMPRT][LRlr]", name):  # KL, Dr
        name = f"{name[0]}_{name[1]}"
    found: list[tuple[Row, str]] = []
    if forward := _TO_RIGHT.search(name):
        name = name[: forward.start()] or name
        found += [(row, "") for row in BY_NAME["lefttoright"]]
    elif _TO_LEFT.search(name):
        found += [(row, "") for row in BY_NAME["righttoleft"]]
    words = tokens_of(name)
    found += [(row, "") for row in BY_NAME.get("".join(words), ())]
    for k in reversed(range(len(words))):
        word = words[k]
        numbered = word.isdigit() and (k in (0, len(words) - 1) or words[k - 1] in ("cam", "camera"))
        if word in SIDES or numbered:
            rest = words[:k] + words[k + 1 :]
            found += [(row, SIDES.get(word, word)) for row in BY_NAME.get("".join(rest), ())]
            plain = [w for w in rest if w not in ("cam", "camera")]
            if len(plain) < len(rest):
                found += [(row, SIDES.get(word, word)) for row in BY_NAME.get("".join(plain), ())]
    return found
