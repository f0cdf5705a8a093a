"""Make the samples that are one file: a portrait with depth inside, and both views side by side.

python samples/single_files.py
"""

from __future__ import annotations

import base64
import struct
from pathlib import Path

import cv2
import numpy as np

from depthapps import Calibration, depth_from_disparity, read_calibration, read_disparity

HERE = Path(__file__).parent
QUALITY = [cv2.IMWRITE_JPEG_QUALITY, 90]
SMALLER = 4  # phones keep depth at about a quarter of the photo's size
XMP = """<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:GDepth="http://ns.google.com/photos/1.0/depthmap/" GDepth:Format="RangeInverse"
 GDepth:Near="{near:.4f}" GDepth:Far="{far:.4f}" GDepth:Units="m" GDepth:Mime="image/png" GDepth:Data="{data}"/>
</rdf:RDF></x:xmpmeta>"""


def portrait(photo: bytes, depth_m: np.ndarray) -> bytes:
    """A JPEG with its depth (H, W), as Android's cameras keep it (GDepth): 8 bits, even in 1/Z from near to far."""
    height, width = depth_m.shape
    inverse = cv2.resize(1 / depth_m, (width // SMALLER, height // SMALLER), interpolation=cv2.INTER_AREA)
    near, far = float(inverse.max()), float(inverse.min())
    samples = np.rint((near - inverse) / (near - far) * 255).astype(np.uint8)
    data = base64.b64encode(cv2.imencode(".png", samples)[1].tobytes()).decode()
    packet = b"http://ns.adobe.com/xap/1.0/\0" + XMP.format(near=1 / near, far=1 / far, data=data).encode()
    return photo[:2] + b"\xff\xe1" + struct.pack(">H", len(packet) + 2) + packet + photo[2:]


def main() -> None:
    """Write portrait.jpg and side_by_side.jpg beside the pair that they are made from."""
    left, right = (cv2.imread(str(HERE / f"{name}.png")) for name in ("left", "right"))
    assert left is not None
    assert right is not None
    file = read_calibration(HERE / "calib.txt")
    calibration = Calibration(file.camera(left.shape[1], left.shape[0]), file.baseline_m or 0, file.doffs_px or 0)
    depth_m = depth_from_disparity(read_disparity(HERE / "disparity.png"), calibration)
    photo = cv2.imencode(".jpg", left, QUALITY)[1].tobytes()
    (HERE / "portrait.jpg").write_bytes(portrait(photo, depth_m))
    cv2.imwrite(str(HERE / "side_by_side.jpg"), np.hstack([left, right]), QUALITY)


if __name__ == "__main__":
    main()
