"""params.yaml: its keys, their types and bounds. An unknown key is an error that names it.

The meaning of each key stands beside it in params.yaml and, for options passed on to a class or function, at that
class or function. Each stage is given its own sections only.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationError, ValidationInfo, field_validator, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from augment.methods import METHODS
from augment.plans.rendering import RENDERINGS
from augment.plans.selection import By
from augment.poses.estimators import ESTIMATORS
from augment.scores.classifiers import CLASSIFIERS
from augment.scores.detectors import DETECTORS
from augment.scores.inception import SPLITS
from augment.scores.ssim import SETTINGS
from augment.training import train
from pipelines import layout
from pipelines.reid_params import Distances, EvaluationParams, ReidParams
from reid.common.errors import InputError
from reid.common.parameters import (
    DEFAULTS_ALONE,
    Count,
    Positive,
    Row,
    Section,
    Seed,
    Size,
    arguments,
    each_once,
    fault,
    faults,
    one_of,
    options,
    options_of_each,
    plain_number,
)
from reid.datasets import DATASETS
from reid.files.lists import text

PARAMS = Path("params.yaml")
MOST_BYTES, MOST_VALUES = 1_000_000, 20_000  # of params.yaml
SECTION_OF = {"selections": "selection", "virtual": "virtual_people", "networks": "reid"}  # of the lists not of `gan`


class ParamsError(InputError):
    """params.yaml cannot be used; the message names file and key."""


class DatasetParams(Section):
    """Which data set, and where: `reid.datasets`; and what part of its training set (`reid.datasets.subset`)."""

    name: Annotated[str, one_of(DATASETS)]
    path: str
    train_people: Positive | None = None
    train_images: Annotated[int, Field(ge=2)] | None = None  # of each person, at most; generators learn from pairs

    @property
    def whole(self) -> bool:
        """Whether all of the training set is taken."""
        return self.train_people is None and self.train_images is None


class PoseParams(Section):
    """Which pose estimator of `augment.poses.estimators`; beside it a section of options of each, named like it."""

    estimator: Annotated[str, one_of(ESTIMATORS)]
    options: dict[str, dict[str, Any]]

    @model_validator(mode="before")
    @classmethod
    def _sections_are_options(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        if "options" in values:
            raise fault("options", "unknown parameter")
        others = {key: value for key, value in values.items() if key not in ESTIMATORS}
        own = {name: values[name] or {} for name in ESTIMATORS if name in values}
        return {**others, "options": options_of_each(ESTIMATORS, own, {"processes"})}


class PairsParams(Section):
    """Pairs for training and testing generators: `augment.data.pairs`."""

    test: Positive


TRAINED_WITH = {
    "method",
    "people",
    "pairs",
    "scratch",
    "started",
    "seed",
    "on_samples",
}  # arguments of `train` from elsewhere


class PosesParams(Section):
    """A pose bank: `augment.poses.bank`."""

    file: str
    size: Size | None = None  # (H, W) of the images that an annotation file is about; null: image_size


class GanParams(Section):
    """One generator: a method, its options, and how the loop trains it (`augment.training.train`)."""

    method: Annotated[str, one_of(METHODS)]
    initial: str | None = None  # folder of a trained method whose weights the training starts from
    keep: bool = False  # the generator as it is at each sheet, for `curve`
    poses: PosesParams | None = None  # a pose bank, for guided methods' training and for redrawing people by any method
    options: dict[str, Any] = DEFAULTS_ALONE
    training: Annotated[dict[str, Any], arguments(train, TRAINED_WITH)] = DEFAULTS_ALONE

    @field_validator("options")
    @classmethod
    def _options_are_the_methods(cls, values: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        name = info.data.get("method")
        return options(METHODS[name], values, {"size"}) if name else values

    @model_validator(mode="after")
    def _poses_are_embedded_by_what_has_learnt_it(self) -> GanParams:
        from_scratch = self.method == "disentangled" and self.initial is None
        if from_scratch and self.options["pose_mapping_iterations"] and not self.options["pose_iterations"]:
            raise fault(
                "options.pose_iterations",
                "must be above 0 where pose_mapping_iterations is: poses would be embedded by untrained weights",
            )
        return self


class SelectionParams(Section):
    """A row of the best of several images that a generator draws: `augment.plans.selection`."""

    generator: Row
    draws: Annotated[int, Field(ge=2)]  # images that are drawn for each that is kept
    by: By


class VirtualParams(Section):
    """A row of people who do not exist: `augment.plans.virtual`."""

    generator: Row
    images: Annotated[int, Field(ge=2)]  # of each person
    people: Annotated[int, Field(ge=1)] | None = None  # at most
    poses: Literal["real", "sampled"]  # of training images, or made of noise
    added: bool  # to the real images; if not, the new people alone are the training set


class ScoresParams(Section):
    """How generators' images are scored: `augment.scores`."""

    pairs: Annotated[int, Field(ge=SPLITS)]
    ssim: Annotated[str, one_of(SETTINGS)]
    classifier: Annotated[str, one_of(CLASSIFIERS)]
    detector: Annotated[str, one_of(DETECTORS)]
    identity: Row
    pca: Positive  # components of the embeddings of `features`


class ReportParams(Section):
    """What the table and the figures show."""

    average_precision: Literal["trapezoid", "step"]


class Params(Section):
    """The whole file."""

    profile: str
    seed: Seed
    device: Literal["auto", "cpu", "cuda"]
    threads: Positive | Literal["auto"]
    image_size: Size
    dataset: DatasetParams
    pose: PoseParams
    pairs: PairsParams
    generators: Annotated[list[Row], Field(min_length=1)]
    variants: list[Row]
    noise: list[Row]
    sources: list[Row]
    features: list[Row]
    renderings: list[Annotated[str, one_of(RENDERINGS)]]
    selections: list[Row]
    virtual: list[Row]
    alphas: Annotated[list[Annotated[Count, BeforeValidator(plain_number)]], Field(min_length=1)]
    exports: list[Row]
    networks: Annotated[list[Row], Field(min_length=1)]
    seeds: Annotated[list[Annotated[Seed, BeforeValidator(plain_number)]], Field(min_length=1)]
    gan: dict[Row, GanParams]
    selection: dict[Row, SelectionParams]
    virtual_people: dict[Row, VirtualParams]
    reid: dict[Row, ReidParams]
    distances: Distances
    evaluation: EvaluationParams
    scores: ScoresParams
    report: ReportParams

    @field_validator("gan", "selection", "virtual_people")
    @classmethod
    def _names_are_free(cls, sections: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        for name in sections:
            for other in ("gan", "selection"):
                if info.field_name != other and name in info.data.get(other, {}):
                    raise fault(
                        name, f"is the name of a section of {other}, whose row it would share; call it otherwise"
                    )
            if name in RENDERINGS:
                raise fault(
                    name, "is the name of a rendering, which `augment` would make in its place; call it otherwise"
                )
            if name == layout.REAL:
                raise fault(
                    name, "is the name of the row of real images, whose files it would share; call it otherwise"
                )
        return sections

    @field_validator(
        "generators",
        "variants",
        "noise",
        "sources",
        "features",
        "renderings",
        "selections",
        "virtual",
        "alphas",
        "exports",
        "networks",
        "seeds",
    )
    @classmethod
    def _each_once(cls, values: list[Any]) -> list[Any]:
        return each_once(values)

    @model_validator(mode="after")
    def _lists_fit(self) -> Params:
        for alpha in self.alphas:
            if alpha < 2:
                raise ValueError(
                    f"alphas: {alpha} is not possible: alpha is the size of the training set as a multiple of the real "
                    "one, from 2; alpha = 1 is the row `real`, which is always there"
                )
        for kind, names, sections in (
            ("generators", self.generators, self.gan),
            ("variants", self.variants, self.gan),
            ("selections", self.selections, self.selection),
            ("virtual", self.virtual, self.virtual_people),
            ("networks", self.networks, self.reid),
        ):
            for name in names:
                if name not in sections:
                    section = SECTION_OF.get(kind, "gan")
                    raise ValueError(f"{kind}: {name} has no section {section}.{name}; there are {', '.join(sections)}")
        for name in self.trained:
            if (check := getattr(METHODS[self.gan[name].method], "check_size", None)) is not None:
                check(self.image_size)
        if self.scores.identity not in self.networks:
            raise ValueError(f"scores.identity: {self.scores.identity} is none of networks: {', '.join(self.networks)}")
        for name in self.renderings:
            if name != "identities" and self.dataset.name != "streets":
                raise ValueError(f"renderings: {name} needs a rendered data set, dataset.name is {self.dataset.name}")
        for name in self.variants:
            if name in self.generators:
                raise ValueError(f"variants: {name} is one of generators already; take it out")
        drawn_by = {f"selection.{name}": self.selection[name].generator for name in self.selections}
        drawn_by |= {f"virtual_people.{name}": self.virtual_people[name].generator for name in self.virtual}
        for key, generator in drawn_by.items():
            if generator not in self.trained:
                known = ", ".join(self.trained)
                raise ValueError(f"{key}: {generator} is none of generators and variants: {known}")
        for name in self.virtual:
            generator = self.virtual_people[name].generator
            if (method := self.gan[generator].method) != "disentangled":
                raise ValueError(
                    f"virtual_people.{name}: {generator} has method {method}, and only disentangled invents"
                )
            learns = ["mapping_iterations"]
            if self.virtual_people[name].poses == "sampled":
                learns += ["pose_iterations", "pose_mapping_iterations"]
            for key in learns:
                if self.gan[generator].options[key] == 0:
                    raise ValueError(
                        f"virtual_people.{name}: {generator} does not learn to invent people: set "
                        f"gan.{generator}.options.{key} above 0"
                    )
        for kind, names in (("noise", self.noise), ("sources", self.sources), ("features", self.features)):
            for name in names:
                if name not in self.trained:
                    raise ValueError(f"{kind}: {name} is none of generators and variants: {', '.join(self.trained)}")
        for name in self.sources:
            if self.gan[name].options.get("sources", 1) == 1:
                raise ValueError(f"sources: {name} draws from one source; choose methods that take several")
        for name in self.features:
            if self.gan[name].method != "disentangled":
                raise ValueError(f"features: {name} has no embeddings of foregrounds; choose disentangled methods")
        for name in self.exports:
            if name not in self.augmentations:
                raise ValueError(
                    f"exports: {name} is none of generators, renderings, selections and virtual: "
                    + ", ".join(self.augmentations)
                )
        if self.dataset.name == "dukemtmc-reid":
            for name in self.exports:
                if name in self.virtual or name == "identities":
                    raise ValueError(f"exports: {name} has people whose numbers DukeMTMC-reID's names cannot hold")
        if self.exports and self.dataset.name in ("msmt17", "listed"):
            raise ValueError(
                f"exports: images of {self.dataset.name} are not named as other libraries' readers want it; set "
                "`exports: []`"
            )
        return self

    @property
    def trained(self) -> list[str]:
        """All generators that are trained and scored."""
        return [*self.generators, *self.variants]

    @property
    def augmentations(self) -> list[str]:
        """Everything that enlarges the training set: generators, renderings, selections and virtual people."""
        return [*self.generators, *self.renderings, *self.selections, *self.virtual]


def load(path: Path = PARAMS) -> Params:
    """Read and check a parameter file; raises ParamsError naming the file and each wrong key."""
    return check(read(path), str(path))


def read(path: Path = PARAMS) -> Any:
    """What YAML reads in a parameter file; raises ParamsError where that is nothing, or it cannot be read."""
    remedy = "python -m pipelines profile demo"
    if not path.exists():
        raise ParamsError(f"{path} does not exist: run from the project's root, and write it there with `{remedy}`")
    data = path.read_bytes()
    if len(data) > MOST_BYTES:
        raise ParamsError(
            f"{path} has {len(data):,} bytes, and parameters take some thousands: write it with `{remedy}`"
        )
    try:
        raw = YAML(typ="safe").load(text(data, str(path)))
        values = sum(1 for _ in islice(_values(raw), MOST_VALUES))
    except (YAMLError, ValueError, OverflowError, RecursionError) as error:
        raise ParamsError(f"{path} is not YAML: {error}") from error
    if values == MOST_VALUES:
        raise ParamsError(f"{path} has {values:,} values or more, aliases counted: write it with `{remedy}`")
    if raw is None:
        raise ParamsError(f"{path} is empty: write it with `{remedy}`")
    return raw


def _values(part: object) -> Iterator[object]:
    """All values in what YAML reads, those of aliases at each place."""
    yield part
    inner = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
    for value in inner:
        yield from _values(value)


def check(raw: object, where: str) -> Params:
    """Parameters from what YAML reads; raises ParamsError naming each wrong key and `where` it is."""
    try:
        return Params.model_validate(raw)
    except ValidationError as error:
        raise ParamsError("\n".join([f"{where}:", *(f"  {line}" for line in faults(error))])) from error
