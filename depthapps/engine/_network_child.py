"""The process in which a user's network runs: a program of its own, which imports no more than it has to.

OpenCV crashes on some files that are no networks. Then only this process ends. It takes a line of JSON and what belongs
to it from stdin, and answers likewise: the network itself first, then inputs to run it on, until stdin ends. Arrays are
float32, their shapes stand in the JSON.
"""

from __future__ import annotations

import json
import math
import os
import sys
from typing import Any, BinaryIO

import cv2
import numpy as np


def main() -> None:
    """Load the network, then answer."""
    answers = os.fdopen(os.dup(1), "wb")
    for stream in (1, 2):  # what libraries print is no answer
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
    told = json.loads(sys.stdin.buffer.readline())
    cv2.setNumThreads(told["threads"])
    _limit(told["memory"])
    model = np.frombuffer(sys.stdin.buffer.read(told["bytes"]), np.uint8)
    try:
        net = cv2.dnn.readNetFromONNX(model)
        _answer(answers, {"outputs": list(net.getUnconnectedOutLayersNames())})
    except (cv2.error, MemoryError) as error:
        _answer(answers, {"error": _reason(error)})
        return
    while line := sys.stdin.buffer.readline():
        told = json.loads(line)
        inputs = {name: _array(shape) for name, shape in told["inputs"].items()}
        try:
            for name, blob in inputs.items():
                net.setInput(blob, name)
            found = np.asarray(net.forward(told["output"]) if told["output"] else net.forward(), np.float32)
        except (cv2.error, MemoryError) as error:
            _answer(answers, {"error": _reason(error)})
            continue
        _answer(answers, {"shape": found.shape}, found.tobytes())


def _array(shape: list[int]) -> np.ndarray:
    return np.frombuffer(sys.stdin.buffer.read(4 * math.prod(shape)), np.float32).reshape(shape)


def _answer(answers: BinaryIO, told: dict[str, Any], samples: bytes = b"") -> None:
    answers.write(json.dumps(told).encode() + b"\n" + samples)
    answers.flush()


def _reason(error: Exception) -> str:
    """The first line of an OpenCV error's description."""
    return (getattr(error, "err", "") or str(error) or type(error).__name__).strip().splitlines()[0]


def _limit(memory: int) -> None:
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (memory, resource.RLIM_INFINITY))
    except (ImportError, OSError, ValueError):  # Windows; a limit that is lower already
        pass


if __name__ == "__main__":
    main()
