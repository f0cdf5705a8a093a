"""Read which inputs an ONNX file declares; OpenCV does not tell them, and runs a network on inputs of other shapes."""

from __future__ import annotations

from collections.abc import Iterator

# Numbers of the fields in onnx.proto
_GRAPH, _INITIALIZER, _INPUT = 7, 5, 11  # of ModelProto, GraphProto
_NAME, _TENSOR_NAME, _TYPE = 1, 8, 2  # of ValueInfoProto, TensorProto, ValueInfoProto
_TENSOR_TYPE, _SHAPE, _DIM, _DIM_VALUE = 1, 2, 1, 1  # of TypeProto, its Tensor, TensorShapeProto, its Dimension


def declared_inputs(model: bytes) -> dict[str, tuple[int, ...]]:
    """Read the names of a network's inputs and their shapes; 0 stands for a length that may be anything.

    An input without a shape has an empty one. A file that is not understood declares nothing.
    """
    inputs: dict[str, tuple[int, ...]] = {}
    constants = set()  # old files list these among the inputs, too
    try:
        for graph in _inside(memoryview(model), _GRAPH):
            for number, value in _fields(graph):
                if number == _INITIALIZER and isinstance(value, memoryview):
                    constants |= {bytes(name).decode() for name in _inside(value, _TENSOR_NAME)}
                elif number == _INPUT and isinstance(value, memoryview):
                    name = bytes(next(_inside(value, _NAME))).decode()
                    inputs[name] = tuple(_lengths(value))
    except (IndexError, StopIteration, ValueError):
        return {}
    return {name: shape for name, shape in inputs.items() if name not in constants}


def _lengths(value_info: memoryview) -> Iterator[int]:
    """The lengths in the shape of an input."""
    for kind in _inside(value_info, _TYPE):
        for tensor in _inside(kind, _TENSOR_TYPE):
            for shape in _inside(tensor, _SHAPE):
                for dimension in _inside(shape, _DIM):
                    yield next((v for n, v in _fields(dimension) if n == _DIM_VALUE and isinstance(v, int)), 0)


def _inside(message: memoryview, wanted: int) -> Iterator[memoryview]:
    """The fields of a number that are messages or texts."""
    return (value for number, value in _fields(message) if number == wanted and isinstance(value, memoryview))


def _fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """The fields of a message with their numbers, as Protocol Buffers encode them; fixed-width numbers are left out."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        kind = key & 7
        if kind == 0:
            value, at = _varint(message, at)
            yield key >> 3, value
        elif kind == 2:
            length, at = _varint(message, at)
            yield key >> 3, message[at : at + length]
            at += length
        elif kind in (1, 5):
            at += 8 if kind == 1 else 4
        else:
            raise ValueError(f"{kind} is no kind of field")


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """A number of seven bits a byte, and where the next field begins."""
    number, shift = 0, 0
    while True:
        byte = message[at]
        number |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return number, at
