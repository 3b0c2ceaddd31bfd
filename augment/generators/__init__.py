"""Person-image generators: one file an architecture, by name.

To add one: a module with `usable(source_pose, target_pose) -> (B,)` and `generate(batch) -> (B, 3, H, W)`, and its line
in `GENERATORS`.
"""

from augment.generators.storage import load, save
from augment.methods.pose_gan.deformable import Deformable
from augment.methods.pose_gan.unet import UNet

Generator = UNet | Deformable
GENERATORS: dict[str, type[UNet] | type[Deformable]] = {"unet": UNet, "deformable": Deformable}

__all__ = ["GENERATORS", "Deformable", "Generator", "UNet", "load", "save"]
