"""How many examples property tests try: the same few at each check; `HYPOTHESIS_PROFILE=thorough` for many new ones."""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("check", deadline=None, derandomize=True, max_examples=50)
settings.register_profile("thorough", deadline=None, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "check"))
