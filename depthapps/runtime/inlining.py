"""How numba compiles loops that other loops call; those that Python calls are `depthapps.runtime.kernel.Kernel`s."""

from typing import Any

import numba as nb

# What only other loops call needs no way in from Python. None of them assigns a row to a row: numba would compile the
# text of the error that could raise, too, which takes 1.5 s.
_WITHOUT_WRAPPERS: dict[str, Any] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
within = nb.njit(error_model="numpy", **_WITHOUT_WRAPPERS)
