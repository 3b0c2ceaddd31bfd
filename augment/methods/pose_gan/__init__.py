"""Deformable GANs (Siarohin et al., CVPR 2018, TPAMI 2019)."""
