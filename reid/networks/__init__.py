"""Re-ID networks: `loss(images, labels)`, a value an image or pair, to train; `embed(images) -> (B, D)` to search."""

from reid.networks.ide import IDE
from reid.networks.siamese import Siamese

NETWORKS = {"ide": IDE, "siamese": Siamese}

__all__ = ["IDE", "NETWORKS", "Siamese"]
