"""Re-ID networks: `loss(images, labels)`, a value for each image or pair, to train; `embed(images)`, (B, D), to search.

The constructor's signature says which options a network has, of what types, within which bounds, and their defaults.
Where it has a static method `check_options(options)`, that raises ValueError for values that do not go together, and
`check_training(training, options)` for options of the training loop that a network with these cannot learn with.
"""

from reid.networks.ide import IDE
from reid.networks.siamese import Siamese
from reid.networks.strong_baseline import StrongBaseline

NETWORKS = {"ide": IDE, "siamese": Siamese, "strong-baseline": StrongBaseline}

__all__ = ["IDE", "NETWORKS", "Siamese", "StrongBaseline"]
