"""Scores of generated images that need no training of their own."""
