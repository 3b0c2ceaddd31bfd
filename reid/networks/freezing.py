"""Batch normalisation with frozen statistics, in any network."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.modules.batchnorm import _BatchNorm


class FrozenBatchNorm(nn.Module):
    """Batch normalisation by its stored statistics, in training as in evaluation mode.

    It shares parameters and statistics with the module that it is made from, and their names in a state dict are the
    same. Scale and shift are trained.
    """

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, norm: _BatchNorm):
        super().__init__()
        self.eps = norm.eps
        self.weight, self.bias = norm.weight, norm.bias
        for name, buffer in norm.named_buffers():
            self.register_buffer(name, buffer)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, ...) to the same shape."""
        return F.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias, False, 0.0, self.eps)


def freeze(network: nn.Module) -> None:
    """Replace, in place, each batch normalisation that has statistics.

    Slower than `reid.networks.folding.fold`, but correct for any network: `fold` relies on modules being applied in the
    order in which they are registered, as those of `BACKBONES` are.
    """
    frozen: dict[nn.Module, FrozenBatchNorm] = {}  # one that is used twice stays one
    for parent in list(network.modules()):
        for name, child in parent._modules.items():
            if isinstance(child, _BatchNorm) and child.track_running_stats:
                setattr(parent, name, frozen.setdefault(child, FrozenBatchNorm(child)))
