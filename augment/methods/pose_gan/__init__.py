"""Deformable GANs for pose-based human image generation (Siarohin et al., CVPR 2018, TPAMI 2019).

`method.py` is the method; `unet.py` (Baseline) and `deformable.py` (DSC and Full) are its generators.
"""
