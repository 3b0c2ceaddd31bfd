"""Sections `reid` and `evaluation` of params.yaml."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator

from reid.common.parameters import Positive, Rate, Section, Share, Size, checked, each_once, one_of
from reid.distances import DISTANCES
from reid.networks import NETWORKS
from reid.networks.backbones import check_name
from reid.training.sampling import SAMPLINGS


def known_backbone(name: str) -> str:
    """The name, if there is such a backbone."""
    check_name(name)
    return name


class IDEOptions(Section):
    """Options of `reid.networks.ide.IDE`."""

    backbone: Annotated[str, AfterValidator(known_backbone)]
    weights: str | None
    input_size: Size
    crop_size: Size | None
    dropout: Share
    freeze_batch_norm: bool

    @model_validator(mode="after")
    def _crops_fit(self) -> IDEOptions:
        if self.crop_size and any(cut > whole for cut, whole in zip(self.crop_size, self.input_size, strict=True)):
            raise ValueError(
                f"crop_size {self.crop_size} is larger than input_size {self.input_size}: it is cut out of it"
            )
        return self

    @model_validator(mode="after")
    def _others_weights_are_given(self) -> IDEOptions:
        if ":" in self.backbone and self.weights is None:
            raise ValueError(f"weights: backbone {self.backbone} needs a file of its weights: none come with it")
        return self


class SiameseOptions(IDEOptions):
    """Options of `reid.networks.siamese.Siamese`."""

    verification_weight: Rate
    verifier_rate: Rate
    classifier_deviation: Annotated[float, Field(ge=0)]


NETWORK_OPTIONS: dict[str, type[Section]] = {"ide": IDEOptions, "siamese": SiameseOptions}


class GeneratedParams(Section):
    """How generated images are labelled when a Re-ID network trains on them."""

    labels: Literal["inherit", "separate"]
    smoothing: Share


class ReidTraining(Section):
    """Options of `reid.training.loop.train`."""

    iterations: Positive
    batch_size: Positive
    sampling: Annotated[str, one_of(SAMPLINGS)]
    learning_rate: Rate
    classifier_rate: Rate
    warmup: Annotated[int, Field(ge=0)]
    decay_at: list[Positive]
    momentum: Share
    weight_decay: Annotated[float, Field(ge=0)]
    flip: Share
    log_every: Positive
    checkpoint_every: Positive


class ReidParams(Section):
    """One Re-ID network, and the distances that it is measured with: columns of the table."""

    network: Annotated[str, one_of(NETWORKS)]
    options: dict[str, Any]
    training: ReidTraining
    generated: GeneratedParams
    mirror: bool
    distances: Annotated[list[Annotated[str, one_of(DISTANCES)]], Field(min_length=1), AfterValidator(each_once)]

    @field_validator("options")
    @classmethod
    def _options_are_the_networks(cls, options: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        return checked(options, NETWORK_OPTIONS.get(info.data.get("network", "")), info.data.get("network"))

    @model_validator(mode="after")
    def _siamese_networks_learn_from_pairs(self) -> ReidParams:
        if self.network == "siamese" and self.training.sampling == "single":
            raise ValueError("training.sampling: a siamese network learns from pairs: drawn or counted, got single")
        return self


class EvaluationParams(Section):
    """How features are compared."""

    normalise: bool
    metric_train: Literal["real", "all"]
    queries: Literal["single", "average", "max"]
    sheet_queries: Positive

    @model_validator(mode="after")
    def _pooled_queries_have_length_1(self) -> EvaluationParams:
        if self.queries != "single" and not self.normalise:
            raise ValueError(f"queries: {self.queries} makes queries of length 1, so normalise must be true")
        return self
