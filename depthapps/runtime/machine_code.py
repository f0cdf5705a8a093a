"""The machine code of one function: numba and LLVM make it, LLVM links it, ctypes calls it.

This file is the only one that knows numba's calling convention, the order in which a compiled function takes its
arguments. The convention is internal to numba and may change with a new version; pyproject.toml has bounds for that.
"""

from __future__ import annotations

import ctypes
import os
import re
from collections.abc import Callable, Sequence
from functools import cache
from importlib import metadata
from typing import Any

import numpy as np

_SYMBOL = "depthapps_kernel"  # what the function is called in every object file
_C_LIBRARY = {"sqrt", "sqrtf", "floor", "floorf", "ceil", "ceilf"}  # numba calls these; every process has them loaded
_NUMBERS = {"int64": ctypes.c_int64, "float64": ctypes.c_double}
_OPTIMISATION = 3  # LLVM's -O3
_PASSES = ("global_dead_code_eliminate", "strip_dead_prototype")  # drop what numba adds for callers from Python
# Numba counts, by calls, who holds each array that one compiled function gives another. Kernels' arrays have no owner,
# so nothing is counted. Without the calls, continuing planes takes 0.12 instead of 1.5 s in a model of 0.9 megapixels.
_COUNTING = re.compile(r"^.*call void @NRT_(in|de)cref\(.*\n", re.MULTILINE)
_loaded: list[Any] = []  # LLVM unloads machine code when the last reference to these goes: kernels stay until the end
_WITHOUT_EFFECT = {"NUMBA_CACHE_DIR", "NUMBA_NUM_THREADS", "NUMBA_THREADING_LAYER"}  # on machine code


def settings() -> list[Any]:
    """What machine code depends on besides the source text: processor, versions, and LLVM's and numba's settings."""
    environment = sorted(item for item in os.environ.items() if item[0].startswith("NUMBA_"))
    numba_settings = [item for item in environment if item[0] not in _WITHOUT_EFFECT]
    return [*_processor(), _versions(), _OPTIMISATION, _PASSES, numba_settings]


def compile_to_object(function: Callable[..., Any], types: Sequence[str]) -> bytes:
    """Compile a Python function for arguments of these types to an object file. This loads numba, which takes 0.4 s.

    Raises RuntimeError if the machine code needs functions of numba's own, which are not there when numba is not.
    """
    import llvmlite.binding as llvm
    import numba

    from depthapps.runtime.inlining import WITHOUT_ENTRY_POINTS

    compiled = numba.njit(_signature(types), error_model="numpy", **WITHOUT_ENTRY_POINTS)(function)
    signature = compiled.signatures[0]
    module = llvm.parse_assembly(_COUNTING.sub("", compiled.inspect_llvm(signature)))
    wanted = compiled.overloads[signature].fndesc.llvm_func_name
    for each in module.functions:
        if each.name == wanted:
            each.name = _SYMBOL
        elif not each.is_declaration:
            each.linkage = "internal"  # lets LLVM drop it if the wanted function does not use it
    machine = _target_machine()
    tuning = llvm.create_pipeline_tuning_options(_OPTIMISATION)
    tuning.slp_vectorization = True  # numba does without: operations that are written side by side become vectors
    builder = llvm.create_pass_builder(machine, tuning)
    passes = builder.getModulePassManager()
    for name in _PASSES:
        getattr(passes, f"add_{name}_pass")()
    passes.run(module, builder)
    outside = {f.name for f in module.functions if f.is_declaration and not f.name.startswith("llvm.")}
    if missing := sorted(outside - _C_LIBRARY):
        raise RuntimeError(f"{function.__name__} needs {', '.join(missing)} of numba")
    return machine.emit_object(module)


def link(code: bytes, types: Sequence[str]) -> Callable[..., None]:
    """Load an object file into this process; a call of the result runs it, without the GIL.

    Raises an exception of some type if LLVM cannot link it. LLVM's older linker, MCJIT, ends the process for that.
    """
    import llvmlite.binding as llvm  # takes 70 ms, as long as a small picture: `load_ahead` hides that

    linker = llvm.create_lljit_compiler(_target_machine(), suppress_errors=True)
    library = llvm.JITLibraryBuilder().add_object_img(code).export_symbol(_SYMBOL).add_current_process()
    loaded = library.link(linker, _SYMBOL)
    _loaded.append((linker, loaded))
    parameters: list[Any] = [ctypes.c_void_p, ctypes.c_void_p]  # addresses for the result and for an exception
    for kind in types:
        parameters += _c_types(kind)
    native = ctypes.CFUNCTYPE(ctypes.c_int32, *parameters)(loaded[_SYMBOL])

    def call(*arguments: Any) -> None:
        result, error = ctypes.c_void_p(), ctypes.c_void_p()
        values: list[Any] = [ctypes.addressof(result), ctypes.addressof(error)]
        for kind, argument in zip(types, arguments, strict=True):
            values += _c_values(kind, argument)
        if native(*values):
            raise RuntimeError("a compiled function failed")

    return call


def compile_with_numba(function: Callable[..., None], types: Sequence[str]) -> Callable[..., None]:
    """The same by numba alone, where the rest of this file fails: same arguments, but 0.4 s to start in every run."""
    import numba

    compiled = numba.njit(_signature(types), nogil=True, error_model="numpy")(function)

    def call(*arguments: Any) -> None:
        checked = [_checked(kind, argument) for kind, argument in zip(types, arguments, strict=True)]
        compiled(*[_writeable(each) if isinstance(each, np.ndarray) else each for each in checked])

    return call


def _signature(types: Sequence[str]) -> str:
    """In numba's notation: takes arguments of these types and returns nothing."""
    return f"void({','.join(types)})"


def _writeable(array: Any) -> Any:
    """The same memory without numpy's read-only flag: numba would want another signature. Kernels respect the flag."""
    if array.flags.writeable:
        return array
    return np.ndarray(array.shape, array.dtype, (ctypes.c_char * array.nbytes).from_address(array.ctypes.data))


def _c_types(kind: str) -> list[Any]:
    """The C types of one argument. An array is passed as owner, parent, items, item size, data, shape and strides."""
    if kind in _NUMBERS:
        return [_NUMBERS[kind]]
    pointer, size = ctypes.c_void_p, ctypes.c_int64
    return [pointer, pointer, size, size, pointer] + [size] * (2 * _array_type(kind)[1])


def _c_values(kind: str, value: Any) -> list[Any]:
    """The values of one argument, one for each of its C types. Raises TypeError if it is not of the type `kind`."""
    value = _checked(kind, value)
    if kind in _NUMBERS:
        return [value]
    return [None, None, value.size, value.itemsize, value.ctypes.data, *value.shape, *value.strides]


def _checked(kind: str, value: Any) -> Any:
    """One argument, numbers as Python's own. Raises TypeError if it is not of the type `kind`."""
    if kind in _NUMBERS:
        return int(value) if kind == "int64" else float(value)
    dtype, dimensions = _array_type(kind)
    if (
        not isinstance(value, np.ndarray)
        or value.dtype != dtype
        or value.ndim != dimensions
        or not value.flags.c_contiguous
    ):
        found = f"{value.dtype}, {value.shape}" if isinstance(value, np.ndarray) else type(value).__name__
        raise TypeError(f"a kernel was given {found} instead of {kind}")
    return value


@cache
def _array_type(kind: str) -> tuple[np.dtype[Any], int]:
    """The type of the values of an array such as float32[:,::1], and how many dimensions it has."""
    return np.dtype(kind[: kind.index("[")]), kind.count(",") + 1


@cache
def _processor() -> tuple[str, str]:
    """The name of this machine's processor, and its instruction sets (AVX and so on) as LLVM lists them."""
    import llvmlite.binding as llvm

    return llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()


@cache
def _versions() -> list[str]:
    return [f"{package} {metadata.version(package)}" for package in ("numba", "llvmlite")]


def _target_machine() -> Any:
    """LLVM's description of this machine, for which it makes and links machine code."""
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    cpu, features = _processor()
    target = llvm.Target.from_default_triple()
    return target.create_target_machine(cpu=cpu, features=features, opt=_OPTIMISATION, jit=True)
