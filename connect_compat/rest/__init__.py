"""HTTP to herder calls; no logic."""
