"""Pose guided person image generation, PG2 (Ma et al., NIPS 2017).

`method.py` is the method with both of its stages; `refiner.py` is the generator of the second one.
"""
