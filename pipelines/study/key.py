"""The key of a study, which says what each image is, and the files of answers that participants give back."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field, ValidationError

from reid.common.errors import InputError
from reid.common.parameters import Count, NotNegative, Rate, Section, Seed, faults
from reid.common.saved import load_json

Origin = Literal["real", "generated"]
File = TypeVar("File", bound=Section)


class Image(Section):
    """What an image of the study is."""

    origin: Origin
    source: str | None  # whom a generated image shows; None for a real one
    target: str  # the real image itself, or the one in whose pose the generated one is
    sha256: str  # of the JPEG file in the page


class Key(Section):
    """What `study make` keeps for the researcher."""

    study: str  # `digest` of all that follows, which the page and each file of answers have too
    generator: str
    weights_sha256: str  # of the generator
    data: list[str]  # archives of the real images
    seed: Seed
    seconds: Rate  # that each image is shown
    practice: Count  # images of each kind that are shown before the others and do not count
    images: dict[str, Image]  # by the names that the page has for them


class Answer(Section):
    """What a participant said of one image."""

    image: str
    answer: Origin
    milliseconds: NotNegative  # from when the image appeared to the answer


class Answers(Section):
    """A participant's answers, in the order that the images were shown in."""

    study: str
    participant: Annotated[str, Field(pattern="^[0-9a-f]{8}$")]
    answers: list[Answer]


def digest(content: dict[str, Any]) -> str:
    """SHA-256 of a key's content, but for `study`, where the digest itself stands."""
    rest = {name: value for name, value in content.items() if name != "study"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def read_key(path: Path) -> Key:
    """The key of a study.

    Raises:
        InputError: the file is damaged, is no key, or was changed.
    """
    remedy = "give the file study.key.json that `study make` wrote beside the page"
    key = _read(path, Key, remedy)
    if digest(key.model_dump()) != key.study:
        raise InputError(f"{path} was changed after `study make` wrote it: its digest is another; {remedy}")
    return key


def read_answers(path: Path, key: Key) -> Answers:
    """The answers of one participant to all images of a study.

    Raises:
        InputError: the file is damaged, of another study, incomplete, or has answers to images that are not in it.
    """
    answers = _read(path, Answers, "ask the participant for the file again, or leave it out")
    if answers.study != key.study:
        raise InputError(
            f"{path}: has answers to study {answers.study[:12]}, the key is of {key.study[:12]}: give its own key"
        )
    given = [answer.image for answer in answers.answers]
    if unknown := sorted(set(given) - set(key.images)):
        raise InputError(
            f"{path}: has answers to images that the study does not have, {unknown[0]}: leave the file out"
        )
    if twice := sorted(image for image, count in Counter(given).items() if count > 1):
        raise InputError(f"{path}: has two answers to image {twice[0]}: leave the file out")
    if len(given) < len(key.images):
        raise InputError(
            f"{path}: has answers to {len(given)} of {len(key.images)} images, not to all: leave the file out, or ask "
            "the participant to go through the page to its end"
        )
    return answers


def _read(path: Path, kind: type[File], remedy: str) -> File:
    content = load_json(path, tuple(kind.model_fields), remedy)
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        raise InputError(f"{path} is damaged ({faults(error)[0]}); {remedy}") from error
