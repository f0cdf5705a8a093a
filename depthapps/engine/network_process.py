"""Run a user's ONNX network in a process of its own, because OpenCV crashes on some files instead of refusing them."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import weakref
from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.errors import NetworkError
from depthapps.runtime.budget import memory_budget

_MODULE = "depthapps.engine._network_child"


class NetworkRefusedError(Exception):
    """OpenCV cannot load or run a network; says why."""


class NetworkProcess:
    """A network, loaded in a process of its own, which ends with this object.

    outputs: the names of its outputs.
    """

    def __init__(self, model: bytes) -> None:
        paths = os.pathsep.join(path for path in sys.path if path)
        self._process = subprocess.Popen(
            [sys.executable, "-m", _MODULE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": paths},
        )
        self._end = weakref.finalize(self, _end, self._process)
        told = {"threads": cv2.getNumThreads(), "memory": memory_budget(), "bytes": len(model)}
        self.outputs: list[str] = self._ask(told, model)[0]["outputs"]

    def run(self, inputs: Mapping[str, NDArray], output: str) -> NDArray[np.floating]:
        """Run it on its inputs by their names; output: the name of the one that is wanted, "" for the only one.

        Raises NetworkRefusedError if it does not take them, and NetworkError if it crashes.
        """
        blobs = {name: np.ascontiguousarray(blob, np.float32) for name, blob in inputs.items()}
        shapes = {name: blob.shape for name, blob in blobs.items()}
        answer, samples = self._ask({"inputs": shapes, "output": output}, *(blob.tobytes() for blob in blobs.values()))
        return np.frombuffer(samples, np.float32).reshape(answer["shape"])

    def _ask(self, told: dict[str, Any], *data: bytes) -> tuple[dict[str, Any], bytes]:
        sending, answers = self._process.stdin, self._process.stdout
        assert sending is not None
        assert answers is not None
        try:
            sending.writelines([json.dumps(told).encode() + b"\n", *data])
            sending.flush()
            answer = json.loads(answers.readline())
            size = 4 * math.prod(answer.get("shape", (0,)))
            samples = answers.read(size)
            if len(samples) < size:
                raise ValueError
        except (OSError, ValueError):
            self._end()
            raise NetworkError(
                "the network crashes OpenCV, or takes more memory than there is",
                hint="is the file whole? export it anew",
            ) from None
        if "error" in answer:
            raise NetworkRefusedError(answer["error"])
        return answer, samples


def _end(process: subprocess.Popen[bytes]) -> None:
    for stream in (process.stdin, process.stdout):
        try:
            if stream is not None:
                stream.close()
        except OSError:  # what it did not take any more
            pass
    process.kill()
    process.wait()
