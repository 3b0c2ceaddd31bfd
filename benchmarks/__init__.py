"""Timings of two versions of the same work; README.md here has the results."""
