"""VUNet, a variational U-Net for conditional appearance and shape generation (Esser et al., CVPR 2018).

`method.py` is the method, `network.py` its networks, `losses.py` its losses.
"""
