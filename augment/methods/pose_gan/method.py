"""The method of the Deformable GANs: adversarial and reconstruction loss against a patch discriminator (Sec. 3.2)."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator

from augment.conventions import Convention
from augment.methods.adversarial import Adversarial, check_generator_options
from augment.methods.pose_gan.deformable import Deformable
from augment.methods.pose_gan.unet import UNet
from augment.networks.blocks import Start
from augment.networks.features import FEATURES, Layer
from reid.common.parameters import Positive, Rate, Share, Size, odd, one_of

GENERATORS: dict[str, type[UNet] | type[Deformable]] = {"unet": UNet, "deformable": Deformable}


class PoseGAN(Adversarial):
    """The paper's Baseline (`unet`), DSC and Full (both `deformable`, with other losses), and variants between them."""

    def __init__(
        self,
        size: Size,  # (H, W) of the images
        generator: Annotated[str, one_of(GENERATORS)] = "deformable",
        generator_options: dict[str, Any]
        | None = None,  # options of the generator's class; its defaults are those of the paper's Full
        width: Rate = 1.0,  # scales all numbers of filters; 1 is the paper's
        convention: Convention = "released",  # the released code, or the formulas of the text
        start: Start = "glorot",  # the initial weights, as released or torch's: docs/training.md
        background: bool = False,  # whether the target's background is an input (Sec. 3.3)
        background_dropout: Share = 0.0,  # share of samples without it, so that it can be drawn without one too
        features: Annotated[str, one_of(FEATURES)] = "vgg19",  # the feature extractor g of Eq. 7
        layer: Layer = "conv1_2",  # of a VGG; the default is the paper's
        iterations: Positive = 90_000,  # the paper's, at 128x64
        batch_size: Positive = 4,  # 4 at 128x64, 2 at 256x256, as released
        learning_rate: Rate = 2e-4,  # of Adam, for both networks (Sec. 4.3)
        reconstruction_weight: Rate = 0.01,  # lambda of Eq. 10, which fits the scale of the features
        neighbourhood: Annotated[Positive, AfterValidator(odd)] = 3,  # n of Eq. 7: 3 at 128x64, 5 at 256x256
    ):
        shared: dict[str, Any] = {"width": width, "background": background, "convention": convention, "start": start}
        super().__init__(
            size,
            GENERATORS[generator](size, **shared, **(generator_options or {})),
            sources=1,
            shared=shared,
            background_dropout=background_dropout,
            features=(features, layer),
            iterations={"adversarial": iterations},
            batch_size=batch_size,
            learning_rate=learning_rate,
            reconstruction_weight=reconstruction_weight,
            neighbourhood=neighbourhood,
        )

    @staticmethod
    def check_options(values: dict[str, Any]) -> None:
        """Raise ValueError where the generator has no such options, or backgrounds are withheld that are not given."""
        check_generator_options(values, GENERATORS[values["generator"]])
