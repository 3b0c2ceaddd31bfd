"""Scores of generated images, from formulas and from pretrained networks."""
