"""Kernels compiled by numba, started without it.

Loading numba, what it knows of Python and a kernel from its cache takes 0.4 s, longer than most pictures take to blur.
A `Kernel` keeps the machine code itself and lets LLVM link that, in 0.04 s; numba is loaded only to make it.
"""

from __future__ import annotations

import ctypes
import hashlib
import logging
import os
import re
import tempfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cache
from importlib import import_module, metadata
from importlib.util import find_spec
from pathlib import Path
from threading import Lock, Thread
from typing import Any

import numpy as np

log = logging.getLogger("depthapps")
_SYMBOL = "depthapps_kernel"
_OF_C = {"sqrt", "sqrtf", "floor", "floorf", "ceil", "ceilf"}  # functions that every process has: numba calls these
_NUMBERS = {"int64": ctypes.c_int64, "float64": ctypes.c_double}


class Kernel:
    """A function `name` of `module`, compiled for one signature; called like it, it lets other threads run meanwhile.

    signature: the types of its arguments in numba's words, with spaces between: int64, float64, and C-contiguous arrays
    such as float32[:,::1]. The function returns nothing, allocates nothing and raises nothing. `module` is imported
    only when the function has to be compiled: once for each text of the module, machine and version of numba.
    """

    def __init__(self, module: str, name: str, signature: str) -> None:
        self._module, self._name, self._types = module, name, signature.split()
        self._lock = Lock()
        self._function: Callable[..., Any] | None = None
        self._engine: Any = None  # owns the code

    def __call__(self, *arguments: Any) -> None:
        """Run it; TypeError for arguments that are not of its signature."""
        function = self.loaded()
        if len(arguments) != len(self._types):
            raise TypeError(f"{self._name} takes {len(self._types)} arguments, not {len(arguments)}")
        function(*arguments)

    def loaded(self) -> Callable[..., Any]:
        """What a call runs, without the check of the arguments; the first time it is linked, or compiled."""
        with self._lock:
            if self._function is None:
                self._function = self._load()
        return self._function

    def _load(self) -> Callable[..., Any]:
        import llvmlite.binding as llvm  # loading it takes as long as a small picture: `load_ahead` hides that

        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        cpu, features, versions = _surroundings()
        target = llvm.Target.from_default_triple()
        machine = target.create_target_machine(cpu=cpu, features=features, opt=3, jit=True)
        spec = find_spec(self._module)
        assert spec is not None
        assert spec.origin is not None
        source = Path(spec.origin)
        key = hashlib.sha256(repr([source.read_bytes(), self._name, self._types, cpu, features, versions]).encode())
        name = f"{source.stem}.{self._name}-{key.hexdigest()[:24]}.o"
        places = _places(source)
        for place in places:
            if (place / name).is_file():
                return self._link((place / name).read_bytes(), machine)
        _say_once()
        compiled, code = self._compile(machine)
        if code is None:
            return compiled
        for place in places:
            if _store(place / name, code):
                break
        return self._link(code, machine)

    def _compile(self, machine: Any) -> tuple[Callable[..., Any], bytes | None]:
        """The function compiled by numba, and its machine code, None if that cannot stand without numba."""
        import llvmlite.binding as llvm
        import numba

        function = getattr(import_module(self._module), self._name)
        types = f"void({','.join(self._types)})"
        without_wrappers: dict[str, Any] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
        compiled = numba.njit(types, error_model="numpy", **without_wrappers)(function)
        signature = compiled.signatures[0]
        module = llvm.parse_assembly(compiled.inspect_llvm(signature))
        wanted = compiled.overloads[signature].fndesc.llvm_func_name
        for each in module.functions:
            if each.name == wanted:
                each.name = _SYMBOL
            elif not each.is_declaration:
                each.linkage = "internal"  # what only Python needs is then dropped
        # arrays are passed without an owner, so that what would free one is never called
        module.link_in(llvm.parse_assembly("define void @NRT_MemInfo_call_dtor(ptr %owner) {\n  ret void\n}"))
        passes = llvm.create_new_module_pass_manager()
        passes.add_global_dead_code_eliminate_pass()
        passes.add_strip_dead_prototype_pass()
        passes.run(module, llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options()))
        outside = {f.name for f in module.functions if f.is_declaration and not f.name.startswith("llvm.")}
        if missing := sorted(outside - _OF_C):
            log.info("%s needs %s of numba and is compiled in every run", self._name, ", ".join(missing))
            return numba.njit(types, nogil=True, error_model="numpy")(function), None
        return compiled, machine.emit_object(module)

    def _link(self, code: bytes, machine: Any) -> Callable[..., Any]:
        import llvmlite.binding as llvm

        self._engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
        self._engine.add_object_file(llvm.ObjectFileRef.from_data(code))
        self._engine.finalize_object()
        kinds: list[Any] = [ctypes.c_void_p, ctypes.c_void_p]  # where a result and an exception would go
        for kind in self._types:
            kinds += _argument_kinds(kind)
        native = ctypes.CFUNCTYPE(ctypes.c_int32, *kinds)(self._engine.get_function_address(_SYMBOL))

        def call(*arguments: Any) -> None:
            result, error = ctypes.c_void_p(), ctypes.c_void_p()
            values: list[Any] = [ctypes.addressof(result), ctypes.addressof(error)]
            for kind, argument in zip(self._types, arguments, strict=True):
                values += _argument(kind, argument)
            if native(*values):
                raise RuntimeError(f"the kernel {self._name} failed")

        return call


def load_ahead(kernels: Iterable[Kernel]) -> None:
    """Load kernels in the background, in their order, while a picture is read: a call waits for its own."""

    def load() -> None:
        with suppress(Exception):  # a call will raise it
            for kernel in kernels:
                kernel.loaded()

    Thread(target=load).start()


@cache
def _surroundings() -> tuple[str, str, list[str]]:
    """What machine code depends on besides its source: the processor, its features, numba's and llvmlite's versions."""
    import llvmlite.binding as llvm

    versions = [metadata.version(package) for package in ("numba", "llvmlite")]
    return llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten(), versions


@cache
def _say_once() -> None:
    log.warning("note: compiling, once: the next run starts at once")


def _argument_kinds(kind: str) -> list[Any]:
    """The C types numba passes an argument as; an array: owner, parent, items, item size, data, shape, strides."""
    if kind in _NUMBERS:
        return [_NUMBERS[kind]]
    pointer, size = ctypes.c_void_p, ctypes.c_int64
    return [pointer, pointer, size, size, pointer] + [size] * (2 * (kind.count(",") + 1))


def _argument(kind: str, value: Any) -> list[Any]:
    """One argument as those values. Raises TypeError if it is of another kind."""
    if kind in _NUMBERS:
        return [int(value) if kind == "int64" else float(value)]
    wanted, dimensions = re.match(r"\w+", kind), kind.count(",") + 1
    assert wanted is not None
    if (
        not isinstance(value, np.ndarray)
        or value.dtype != wanted[0]
        or value.ndim != dimensions
        or not value.flags.c_contiguous
    ):
        found = f"{value.dtype}, {value.shape}" if isinstance(value, np.ndarray) else type(value).__name__
        raise TypeError(f"a kernel was given {found} instead of {kind}")
    return [None, None, value.size, value.itemsize, value.ctypes.data, *value.shape, *value.strides]


def _places(source: Path) -> list[Path]:
    """Where compiled code is kept: where numba is told to, else beside the source's own, else at the user's."""
    if told := os.environ.get("NUMBA_CACHE_DIR"):
        return [Path(told)]
    user = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return [source.parent / "__pycache__", user / "depthapps"]


def _store(path: Path, code: bytes) -> bool:
    """Write a file, whole or not at all; False where that is not possible."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as part:
            part.write(code)
        Path(part.name).replace(path)
    except OSError:
        return False
    return True
