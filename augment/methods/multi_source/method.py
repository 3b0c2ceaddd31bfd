"""The method from several sources: first two of them, then as many as are wanted (Sec. 3.4 and 4)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import torch
from pydantic import AfterValidator
from torch import Tensor

from augment.conventions import Convention
from augment.data.batch import Batch
from augment.methods.adversarial import Adversarial, check_generator_options
from augment.methods.contract import Phase
from augment.methods.multi_source.generator import MultiSource
from augment.networks.blocks import Start
from augment.networks.features import FEATURES, Layer
from reid.common.parameters import Count, Positive, Rate, Share, Size, odd, one_of

FIRST = 2  # sources of the first phase


class MultiSourceGAN(Adversarial):
    """The paper's Full, and the variants of its Table 2.

    It is trained with two sources first, then with M, or with another number of 1 to M in each iteration; people with
    fewer images take part with what they have. With M = 1 or 2 there is one phase, as long as both.
    """

    def __init__(
        self,
        size: Size,  # (H, W) of the images
        sources: Positive = 5,  # M, images that a person is drawn from, at most
        generator_options: dict[str, Any] | None = None,  # of `MultiSource`; its defaults are those of the paper's Full
        width: Rate = 1.0,  # scales all numbers of filters; 1 is the paper's
        convention: Convention = "released",  # the released code, or the formulas of the text
        start: Start = "glorot",  # the initial weights
        background: bool = False,  # whether the target's background is an input; not in the paper
        background_dropout: Share = 0.0,  # share of samples without it, so that it can be drawn without one too
        features: Annotated[str, one_of(FEATURES)] = "vgg19",  # the feature extractor of the reconstruction loss
        layer: Layer = "conv1_2",  # of a VGG
        iterations: Positive = 60_000,  # with two sources; Sec. 4 has 60,000, and does not say of which phase
        tuning: Count = 12_000,  # iterations after these; the paper does not say how many
        tuned_with: Literal["all", "random"] = "all",  # M sources, or 1 to M, in these
        batch_size: Positive = 4,
        learning_rate: Rate = 2e-4,  # of Adam, for both networks (Sec. 4)
        reconstruction_weight: Rate = 0.01,  # lambda of Eq. 8
        neighbourhood: Annotated[Positive, AfterValidator(odd)] = 3,  # of the nearest-neighbour loss
    ):
        shared: dict[str, Any] = {"width": width, "background": background, "convention": convention, "start": start}
        if sources > FIRST:
            phases = {"two sources": iterations, f"{sources} sources": tuning}
        else:
            phases = {"two sources" if sources == FIRST else "one source": iterations + tuning}
        super().__init__(
            size,
            MultiSource(size, **shared, **(generator_options or {})),
            sources=sources,
            shared=shared,
            background_dropout=background_dropout,
            features=(features, layer),
            iterations={name: count for name, count in phases.items() if count},
            batch_size=batch_size,
            learning_rate=learning_rate,
            reconstruction_weight=reconstruction_weight,
            neighbourhood=neighbourhood,
        )
        self.tuned_with = tuned_with

    @staticmethod
    def check_options(values: dict[str, Any]) -> None:
        """Raise ValueError where the generator has no such options, or backgrounds are withheld that are not given."""
        check_generator_options(values, MultiSource)

    def attention(self, batch: Batch) -> Tensor | None:
        """Where each source is looked at: (B, M, H, W) at the finest level, the mean over channels, 0 where not valid.

        Over the sources it sums to 1. None where sources are averaged.
        """
        assert isinstance(self.generator, MultiSource)
        _, attention = self.generator.drawn(self._with_background(batch, dropout=0.0))
        if attention is None:
            return None
        spread = attention.new_zeros((*batch.valid().shape, *attention.shape[1:]))
        spread[batch.valid()] = attention
        return spread

    def sources_in(self, phase: Phase) -> int:
        """Two in the first phase, then M, or a random number of 1 to M."""
        if phase.name == next(iter(self.iterations)):
            return min(FIRST, self.needs.sources)
        if self.tuned_with == "random":
            return int(torch.randint(1, self.needs.sources + 1, ()))
        return self.needs.sources
