"""Kernels: loops over pixels or vertices, compiled ahead of their first call and kept between runs.

Numba is a JIT compiler, and slow to start: loading it and a compiled function from its own cache takes 0.4 s, longer
than most pictures take to blur. A `Kernel` keeps the machine code in an object file of its own, which LLVM links in
0.04 s without numba. Numba is loaded only to make that file, or where it cannot be made or linked.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from threading import Lock, Thread
from typing import Any

from depthapps.runtime import machine_code, object_files

log = logging.getLogger("depthapps")
_LOADER = ("kernel.py", "machine_code.py", "inlining.py")  # beside this file: how they compile is part of the cache key


class Kernel:
    """A compiled function, called like the Python function it is made from. It runs without the GIL.

    module, name: where the Python function is. It returns nothing, allocates nothing and raises nothing. The module is
    imported only to compile it, which happens once for each text of the module, processor and version of numba.
    signature: the types of its arguments in numba's notation, with spaces between: int64, float64, and C-contiguous
    arrays such as float32[:,::1].
    """

    def __init__(self, module: str, name: str, signature: str) -> None:
        self._module, self._name, self._types = module, name, signature.split()
        self._lock = Lock()
        self._function: Callable[..., Any] | None = None

    def __call__(self, *arguments: Any) -> None:
        """Run it. Raises TypeError if the arguments do not fit the signature."""
        function = self.loaded()
        if len(arguments) != len(self._types):
            raise TypeError(f"{self._name} takes {len(self._types)} arguments, not {len(arguments)}")
        function(*arguments)

    def loaded(self) -> Callable[..., Any]:
        """What a call runs, without a check of how many arguments there are. The first time, link or compile it."""
        with self._lock:
            if self._function is None:
                self._function = self._load()
        return self._function

    def _load(self) -> Callable[..., Any]:
        try:
            return self._linked()
        except Exception as error:  # any: other versions of numba and LLVM may fail in ways that nobody knows yet
            _say_through_numba(f"{type(error).__name__}: {error}")
        return machine_code.compile_with_numba(self._python_function(), self._types)

    def _linked(self) -> Callable[..., None]:
        """The function from its object file, which is compiled and kept if no folder has one that can be linked."""
        spec = find_spec(self._module)
        if spec is None or spec.origin is None:
            raise ModuleNotFoundError(f"there is no module {self._module}")
        source = Path(spec.origin)
        name, places = f"{self._module}.{self._name}-{self._key(source)}.o", object_files.folders(source)
        for code in object_files.read(name, places):
            with suppress(Exception):
                return machine_code.link(code, self._types)
        _say_compiling(object_files.can_store(places))
        code = machine_code.compile_to_object(self._python_function(), self._types)
        linked = machine_code.link(code, self._types)
        object_files.store(name, code, places)
        return linked

    def _key(self, source: Path) -> str:
        """The cache key: another text, way of compiling, processor or version makes another one."""
        texts = [source.read_bytes(), *(Path(__file__).with_name(file).read_bytes() for file in _LOADER)]
        parts = [texts, self._name, self._types, machine_code.settings()]
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:24]

    def _python_function(self) -> Callable[..., None]:
        return getattr(import_module(self._module), self._name)


def load_ahead(kernels: Iterable[Kernel]) -> None:
    """Load kernels in a background thread, in their order, while a picture is read. A call of one waits for it."""

    def load() -> None:
        with suppress(Exception):  # the call of the kernel raises it again
            for kernel in kernels:
                kernel.loaded()

    Thread(target=load).start()


@cache
def _say_compiling(kept: bool) -> None:
    if kept:
        log.warning("compiling, once: the next run starts at once")
    else:
        log.warning("compiling in every run, as no folder keeps the result: set NUMBA_CACHE_DIR to one of yours")


@cache
def _say_through_numba(reason: str) -> None:
    log.info("compiled loops start with numba, and 0.4 s later, in every run (%s)", reason)
