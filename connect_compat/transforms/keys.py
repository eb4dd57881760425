"""Config keys that several transforms share."""

from __future__ import annotations

from typing import Any

from cdc.config import key


def null_default_key() -> Any:
    return key("replace.null.with.default", default=True,
               doc="Whether to replace fields that have a default value and that are null to the default value. When "
                   "set to true, the default value is used, otherwise null is used.")  # fmt: skip
