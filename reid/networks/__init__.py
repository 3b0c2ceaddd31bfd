"""Re-ID networks: `loss(images, labels) -> (B,)` to train with and `embed(images) -> (B, D)` to search with."""

from reid.networks.ide import IDE

NETWORKS = {"ide": IDE}

__all__ = ["IDE", "NETWORKS"]
