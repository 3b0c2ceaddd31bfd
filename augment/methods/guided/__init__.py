"""Generation guided by Re-ID, in the manner of Liu et al., "Pose Transferrable Person Re-Identification" (CVPR 2018).

`method.py` is the method; `guider.py` its Re-ID network. What is known of the paper, and what is ours: docs/guided.md.
"""
