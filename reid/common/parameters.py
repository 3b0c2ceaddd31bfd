"""Checking parameters: types with bounds for the signatures of networks, methods and distances, and sections of files.

A part of the project has its options, their types, bounds and defaults in one place, its constructor's signature.
`options_of` makes the section of params.yaml that sets them; each fault names its whole key, see `faults`.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, get_type_hints

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    create_model,
    model_validator,
)
from pydantic_core import InitErrorDetails

from reid.common.errors import InputError


def plain_name(name: object) -> object:
    """The name, if it can be part of a command and of a path as it stands."""
    if isinstance(name, str) and re.fullmatch("[a-z][a-z0-9_]*", name):
        return name
    raise ValueError(f"expected a name of lower-case letters, digits and _, a letter first; got {name!r}")


def plain_number(number: object) -> object:
    """The number, if it is written as it becomes part of commands and paths: neither 2.0, nor "2", nor true."""
    if type(number) is int:
        return number
    digits = str(number).removesuffix(".0")
    wanted = f"write {digits}" if digits.isdecimal() else "write digits alone"
    raise ValueError(f"expected a whole number, got {number!r}; {wanted}: it becomes part of commands and paths")


MOST = 10**9  # of what is counted or measured
Positive = Annotated[int, Field(ge=1, le=MOST)]
Count = Annotated[int, Field(ge=0, le=MOST)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Rate = Annotated[float, Field(gt=0, le=MOST, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, le=MOST, allow_inf_nan=False)]
Seed = Annotated[int, Field(ge=0, lt=2**63)]
Size = tuple[Positive, Positive]
Row = Annotated[str, BeforeValidator(plain_name)]
# Of a section that may be left out: its checks add the defaults of all keys, or name those that have none.
DEFAULTS_ALONE: Any = Field(default={}, validate_default=True)


class Section(BaseModel):
    """A section of params.yaml."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def one_of(known: Mapping[str, object]) -> AfterValidator:
    """The check that a name is one of the known."""

    def check(name: str) -> str:
        if name not in known:
            raise ValueError(f"unknown name {name!r}; known are {', '.join(known)}")
        return name

    return AfterValidator(check)


def each_once(values: list[Any]) -> list[Any]:
    """The list, if it names nothing twice."""
    if len(set(values)) < len(values):
        raise ValueError(f"{values} names something twice")
    return values


def odd(number: int) -> int:
    """The number, if it is odd."""
    if number % 2 == 0:
        raise ValueError(f"must be odd, got {number}")
    return number


def options_of(part: Callable[..., Any], given: set[str]) -> type[Section]:
    """The section of a parameter file that sets the options of a class or function.

    Its keys, types, bounds and defaults are those of the arguments in the signature. Where a class has a static method
    `check_options(options)`, that says by a ValueError which values do not go together.

    Args:
        part: a class, or a function.
        given: names of arguments that are no options, because the caller has them from elsewhere: the image size, say.
    """
    hints = get_type_hints(part.__init__ if isinstance(part, type) else part, include_extras=True)  # type: ignore[misc]
    own: dict[str, Any] = {
        name: (hints[name], ... if argument.default is argument.empty else argument.default)
        for name, argument in inspect.signature(part).parameters.items()
        if name not in given
    }

    def go_together(section: Section) -> Section:
        if (check := getattr(part, "check_options", None)) is not None:
            check(section.model_dump())
        return section

    checks: dict[str, Any] = {"go_together": model_validator(mode="after")(go_together)}
    section: type[Section] = create_model("Options", __base__=Section, __validators__=checks, **own)
    return section


def options(part: Callable[..., Any], values: dict[str, Any], given: set[str]) -> dict[str, Any]:
    """All options of a class or function: the values that are set, checked, and the defaults of the others.

    Args:
        part: a class, or a function.
        values: options by name.
        given: as of `options_of`.

    Example:
        >>> def blur(image: object, sigma: Rate, size: Positive = 3) -> None: ...
        >>> options(blur, {"sigma": 1}, {"image"})
        {'sigma': 1.0, 'size': 3}

    Raises:
        ValidationError: a ValueError. Raised while a section is checked, it becomes part of that section's own, and
            `faults` names the whole key.
    """
    return options_of(part, given).model_validate(values).model_dump()


def arguments(part: Callable[..., Any], given: set[str]) -> AfterValidator:
    """The check that a section's keys are options of a class or function; it adds those that are left out."""
    return AfterValidator(lambda values: options(part, values, given))


def options_of_each(
    parts: Mapping[str, Callable[..., Any]], values: dict[str, dict[str, Any]], given: set[str]
) -> dict[str, dict[str, Any]]:
    """`options` of several parts, from sections that are named like them; those left out have defaults alone."""
    own: dict[str, Any] = {
        name: (Annotated[dict[str, Any], arguments(part, given)], DEFAULTS_ALONE) for name, part in parts.items()
    }
    return create_model("Sections", __base__=Section, **own).model_validate(values).model_dump()


def fault(key: str, message: str) -> ValidationError:
    """What a check of a whole section raises where it is one key that is wrong."""
    details = InitErrorDetails(type="value_error", loc=(key,), input=None, ctx={"error": ValueError(message)})
    return ValidationError.from_exception_data("Options", [details])


def stored_options(
    part: Callable[..., Any], values: dict[str, Any], given: set[str], file: Path, remedy: str
) -> dict[str, Any]:
    """`options` that a file holds, of what was once built with them.

    Raises:
        InputError: naming the file and the remedy: the part has no such options, or not any more.
    """
    try:
        return options(part, values, given)
    except ValidationError as error:
        raise InputError(
            f"{file}: {'; '.join(faults(error))}: expected options of {part.__name__} as it is in this version of the "
            f"project; {remedy}"
        ) from error


def faults(error: ValidationError) -> list[str]:
    """One line for each fault: key, what is wrong, what came."""
    lines = []
    for one in error.errors():
        key = ".".join(str(part) for part in one["loc"] if part != "[key]")
        unknown = one["type"] == "extra_forbidden"
        message = "unknown parameter" if unknown else one["msg"].removeprefix("Value error, ")
        got = "" if unknown or one["type"] in ("value_error", "missing") else f", got {one['input']!r}"
        lines.append(f"{key}: {message}{got}" if key else f"{message}")
    return lines
