"""Attention-based fusion for multi-source human image generation (Lathuiliere et al., WACV 2020).

`method.py` is the method, `generator.py` its generator, `attention.py` the decoder that fuses the sources.
"""
