"""Methods: systems that generate images of people, one module or folder each, by name; `contract.py` says what one is.

To add one: its module, a line in `METHODS`, a section of `gan` in profiles/demo.yaml. CONTRIBUTING.md shows the
smallest one.
"""

from collections.abc import Callable

from augment.methods.contract import Method, Needs, Phase, update
from augment.methods.disentangled.method import Disentangled
from augment.methods.guided.method import Guided
from augment.methods.multi_source.method import MultiSourceGAN
from augment.methods.pg2.method import PG2
from augment.methods.pose_gan.method import PoseGAN
from augment.methods.storage import load, save, start_from
from augment.methods.vunet.method import VUNet

METHODS: dict[str, Callable[..., Method]] = {
    "pose_gan": PoseGAN,
    "multi_source": MultiSourceGAN,
    "disentangled": Disentangled,
    "pg2": PG2,
    "guided": Guided,
    "vunet": VUNet,
}

__all__ = ["METHODS", "Method", "Needs", "Phase", "load", "save", "start_from", "update"]
