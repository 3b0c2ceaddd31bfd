"""Disentangled person image generation, DPIG (Ma et al., CVPR 2018).

`method.py` is the method, `appearance.py` the networks of images, `vectors.py` those of poses and of embeddings.
"""
