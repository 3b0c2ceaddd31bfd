"""Adversarial losses and the nearest-neighbour loss (Eq. 5, 7 and 8), unreduced: one value for each sample."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from augment.conventions import Convention
from reid.common.errors import InputError

EPSILON = 1e-7  # inside the logarithms, as released


def generator_adversarial(fake: Tensor, convention: Convention = "released") -> Tensor:
    """The generator's loss: -log D(fake) as released, log(1 - D(fake)) in the text (Eq. 5).

    The text's hardly has a gradient as long as the discriminator recognises generated images with certainty, as it does
    early in training; the released one has its largest gradient there.

    Args:
        fake: (B, patches) probabilities, given by D, that generated images are real.
        convention: which of the two.

    Returns:
        (B,) mean over patches.

    Example:
        >>> import torch
        >>> from augment.losses import generator_adversarial
        >>> generator_adversarial(torch.tensor([[0.5, 0.5], [0.1, 0.1]]))  # D is undecided; D is nearly sure
        tensor([0.6931, 2.3026])
    """
    if convention == "paper":
        return (1 - fake + EPSILON).log().mean(1)
    return -(fake + EPSILON).log().mean(1)


def discriminator_adversarial(judged: Tensor, real: bool) -> Tensor:
    """The discriminator's loss: -log D on real images, -log(1 - D) on generated ones (Eq. 5).

    Args:
        judged: (B, patches) probabilities, given by D, that the images are real.
        real: whether they are.

    Returns:
        (B,) mean over patches.

    Example:
        >>> import torch
        >>> from augment.losses import discriminator_adversarial
        >>> judged = torch.tensor([[0.9, 0.9]])
        >>> discriminator_adversarial(judged, real=True), discriminator_adversarial(judged, real=False)
        (tensor([0.1054]), tensor([2.3026]))
    """
    return -((judged if real else 1 - judged) + EPSILON).log().mean(1)


def logistic(logits: Tensor, real: bool) -> Tensor:
    """The cross-entropy of a discriminator's logits (B,), one an image: PG2's and DPIG's adversarial loss.

    Args:
        logits: (B,) that the images are real.
        real: what they are, for the discriminator; for the generator, that they should be.

    Returns:
        (B,) float32: -log sigmoid(logits), or -log(1 - sigmoid(logits)).

    Example:
        >>> import torch
        >>> from augment.losses import logistic
        >>> logistic(torch.tensor([0.0, 2.0]), real=True)  # D is undecided; D is rather sure
        tensor([0.6931, 0.1269])
    """
    return F.softplus(-logits.float() if real else logits.float())


def nearest_neighbour(generated: Tensor, target: Tensor, size: int, convention: Convention = "released") -> Tensor:
    """L_NN: the distance of each generated position to its nearest neighbour in a window of the target (Eq. 8).

    L = mean_p min_{q in N(p)} ||C_generated(p) - C_target(q)||_1, with a sum over channels (Eq. 12) and, as released, a
    mean over positions, where the text has a sum (Eq. 15). An L1 loss punishes a correct texture that is a pixel off,
    and so favours blur; this loss tolerates such misalignment (Sec. 3.2). Neighbours outside the image do not count;
    size 1 is the L1 distance (on pixels, Eq. 6).

    Args:
        generated: (B, C, H, W) features g of generated images.
        target: (B, C, H, W) features g of the real images; treated as constant.
        size: n, odd, of the n x n neighbourhood N(p).
        convention: mean over positions, or sum (`paper`).

    Returns:
        (B,), differentiable in `generated`.

    Raises:
        InputError: shapes differ, or the size is no odd positive number.

    Example:
        >>> import torch
        >>> from augment.losses import nearest_neighbour
        >>> target = torch.zeros(1, 1, 4, 4)
        >>> target[..., 1] = 1  # a vertical stripe
        >>> generated = target.roll(1, dims=3)  # the stripe, one pixel further to the right
        >>> nearest_neighbour(generated, target, size=1), nearest_neighbour(generated, target, size=3)
        (tensor([0.5000]), tensor([0.]))
    """
    if generated.shape != target.shape:
        raise InputError(
            f"nearest-neighbour loss: expected features of equal shape (B, C, H, W), got {tuple(generated.shape)} for "
            f"the generated and {tuple(target.shape)} for the target images"
        )
    if size < 1 or size % 2 == 0:
        raise InputError(f"nearest-neighbour loss: expected an odd and positive size of the neighbourhood, got {size}")
    mean = _NearestNeighbour.apply(generated, target, size)
    return mean * (generated.shape[2] * generated.shape[3]) if convention == "paper" else mean


class _NearestNeighbour(torch.autograd.Function):
    """Mean over positions of the distance to the nearest neighbour, with its gradient written by hand.

    The gradient of an L1 distance is the sign of the difference, so one byte a value is kept. Stacking n^2 shifted
    targets, as in the text, needs n^2 times the memory and several times the time.
    """

    @staticmethod
    def forward(ctx: Any, generated: Tensor, target: Tensor, size: int) -> Tensor:
        a, b = (maps.permute(0, 2, 3, 1).contiguous() for maps in (generated, target))  # (B, H, W, C)
        batch, height, width, channels = a.shape
        smallest = torch.full((batch, height, width), torch.inf, dtype=a.dtype, device=a.device)
        nearest = torch.zeros((batch, height, width), dtype=torch.long, device=a.device)
        indices = torch.arange(batch * height * width, device=a.device).view(batch, height, width)
        rows, columns = (min(size // 2, side - 1) for side in (height, width))  # beyond there is no neighbour
        for down in range(-rows, rows + 1):
            for right in range(-columns, columns + 1):
                # Positions p whose neighbour at this offset lies in the image, and these neighbours q.
                p = (slice(None), _overlap(height, -down), _overlap(width, -right))
                q = (slice(None), _overlap(height, down), _overlap(width, right))
                distance = (a[p] - b[q]).abs_().sum(-1)  # Eq. 11 to 13
                closer = distance < smallest[p]
                smallest[p] = torch.where(closer, distance, smallest[p])  # Eq. 14
                nearest[p] = torch.where(closer, indices[q], nearest[p])
        if ctx.needs_input_grad[0]:
            neighbours = b.view(-1, channels).index_select(0, nearest.view(-1))
            ctx.save_for_backward(torch.sub(a.view(-1, channels), neighbours, out=neighbours).sign_().to(torch.int8))
            ctx.shape = a.shape
        return smallest.mean((1, 2))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (sign,) = ctx.saved_tensors
        _, height, width, _ = ctx.shape
        gradient = gradients[0] / (height * width)
        return (sign.to(gradient.dtype).view(ctx.shape) * gradient.view(-1, 1, 1, 1)).permute(0, 3, 1, 2), None, None


def _overlap(length: int, shift: int) -> slice:
    """The positions p in 0..length-1 for which p - shift is in 0..length-1 too."""
    return slice(max(0, shift), length + min(0, shift))
