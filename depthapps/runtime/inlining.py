"""How functions are compiled that only other compiled functions call.

Python code never calls these; a function that Python calls is a `depthapps.runtime.kernel.Kernel`.
"""

from typing import Any

import numba as nb

# A function that only compiled code calls needs no entry points for Python and C. To save compile time as well, these
# functions copy numbers and not rows: for `a[i] = b[j]` with rows, numba compiles the message of the error that
# different lengths raise, too, which takes 1.5 s.
WITHOUT_ENTRY_POINTS: dict[str, Any] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
within = nb.njit(error_model="numpy", **WITHOUT_ENTRY_POINTS)
# A part of a longer compiled function, which calls it from one place or two: its code is put there, because a call that
# passes many arrays takes as long as the work of a short part.
inlined = nb.njit(error_model="numpy", forceinline=True, **WITHOUT_ENTRY_POINTS)
