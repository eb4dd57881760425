"""Tailrace and its peer on the same servers, in the same run, with the same instrument."""
