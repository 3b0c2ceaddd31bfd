"""Sections `reid`, `distances` and `evaluation` of params.yaml.

Options of networks, of their training and of distances are those in the signatures of their constructors and functions.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator

from reid.common.parameters import (
    DEFAULTS_ALONE,
    Positive,
    Section,
    arguments,
    each_once,
    fault,
    one_of,
    options,
    options_of_each,
)
from reid.distances import DISTANCES
from reid.networks import NETWORKS
from reid.training.labelling import label
from reid.training.loop import train
from reid.training.progressive import refine
from reid.training.sampling import EACH


def with_defaults(distances: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """All options of all distances: those that are given, checked, and the defaults of the others."""
    return options_of_each(DISTANCES, distances, {"seed"})


Distances = Annotated[
    dict[Annotated[str, one_of(DISTANCES)], dict[str, Any]],
    AfterValidator(with_defaults),
]
TRAINED_WITH = {
    "network",
    "images",
    "labels",
    "smoothing",
    "weights",
    "scratch",
    "seed",
}  # arguments of `train` that are no options
REFINED_WITH = {"network", "make", "images", "training", "scratch", "seed", "on_round"}  # of `refine`


def check_training(network: str, training: dict[str, Any], options: dict[str, Any]) -> None:
    """Raise ValidationError for options of the training loop that a network with these options cannot learn with."""
    check = getattr(NETWORKS.get(network), "check_training", None)
    if check is not None:
        check(training, options)


class ReidParams(Section):
    """One Re-ID network, its training, and the distances that it is evaluated with: columns of the results table."""

    network: Annotated[str, one_of(NETWORKS)]
    options: dict[str, Any] = DEFAULTS_ALONE
    training: Annotated[dict[str, Any], arguments(train, TRAINED_WITH)] = DEFAULTS_ALONE
    generated: Annotated[dict[str, Any], arguments(label, {"identities", "generated"})] = DEFAULTS_ALONE
    progressive: Annotated[dict[str, Any], arguments(refine, REFINED_WITH)] | None = None  # then, without labels
    mirror: bool
    distances: Annotated[list[Annotated[str, one_of(DISTANCES)]], Field(min_length=1), AfterValidator(each_once)]

    @field_validator("options")
    @classmethod
    def _options_are_the_networks(cls, values: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        name = info.data.get("network")
        return options(NETWORKS[name], values, {"classes", "pretrained"}) if name else values

    @field_validator("training")
    @classmethod
    def _the_network_can_be_trained_so(cls, values: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        if values["sampling"] == "balanced" and values["batch_size"] % EACH:
            size = values["batch_size"]
            raise fault(
                "batch_size",
                f"must be a multiple of {EACH}, since a balanced batch has {EACH} of each person; got {size}",
            )
        if "options" in info.data:  # if not, their fault is said instead
            check_training(info.data.get("network", ""), values, info.data["options"])
        return values


class EvaluationParams(Section):
    """How features are compared."""

    normalise: bool
    metric_train: Literal["real", "all"]
    queries: Literal["single", "average", "max"]
    sheet_queries: Positive

    @model_validator(mode="after")
    def _pooled_queries_have_length_1(self) -> EvaluationParams:
        if self.queries != "single" and not self.normalise:
            raise fault("queries", f"{self.queries} makes queries of length 1, so normalise must be true")
        return self
