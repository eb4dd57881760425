"""The compiled twin of the hot loops: `hot` is the module built from the C files here, or None.

It is built with the package where a C compiler is (`scripts/native` builds it in a checkout) and left out where not, or
where TAILRACE_PURE_PYTHON is set. The Python functions beside each use of it are the reference: the twin either gives
what they give or raises `hot.Refused`, and then they are asked.
"""

from __future__ import annotations

import os
from types import ModuleType

hot: ModuleType | None = None
if not os.environ.get("TAILRACE_PURE_PYTHON"):
    try:
        from cdc.native import _hot

        hot = _hot
    except ImportError:
        pass
