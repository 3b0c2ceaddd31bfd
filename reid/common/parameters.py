"""Checking parameters: types with bounds for the signatures of networks, methods and distances, and sections of files.

A part of the project has its options, their types, bounds and defaults in one place, its constructor's signature.
`options_of` makes the section of params.yaml that sets them.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, get_type_hints

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, create_model


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


Positive = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0, le=1)]
Rate = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Size = tuple[Positive, Positive]
Row = Annotated[str, BeforeValidator(plain_name)]
Number = Annotated[int, BeforeValidator(plain_number)]


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

    Its keys, types, bounds and defaults are those of the arguments in the signature.

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
    section: type[Section] = create_model("Options", __base__=Section, **own)
    return section


def options(part: Callable[..., Any], values: dict[str, Any], given: set[str], name: str) -> dict[str, Any]:
    """All options of a class or function: the values that are set, checked, and the defaults of the others.

    Where the class has a static method `check_options(options)`, it is called with the result, and raises ValueError
    for values that do not go together.

    Args:
        part: a class, or a function.
        values: options by name.
        given: as of `options_of`.
        name: of the part, for errors.

    Raises:
        ValueError: a value is wrong; the message names `name` and each fault.

    Example:
        >>> def blur(image: object, sigma: Rate, size: Positive = 3) -> None: ...
        >>> options(blur, {"sigma": 1}, {"image"}, "blur")
        {'sigma': 1.0, 'size': 3}
    """
    whole = checked(values, options_of(part, given), name)
    if (check := getattr(part, "check_options", None)) is not None:
        try:
            check(whole)
        except ValueError as error:
            raise ValueError(f"of {name}: {error}") from error
    return whole


def checked(options: dict[str, Any], section: type[Section] | None, name: str | None) -> dict[str, Any]:
    """The options as their section has them; unchanged where what they belong to, `name`, is wrong itself."""
    if section is None:
        return options
    try:
        return section.model_validate(options).model_dump()
    except ValidationError as error:
        raise ValueError(f"of {name}: {'; '.join(faults(error))}") from error


def faults(error: ValidationError) -> list[str]:
    """One line for each fault: key, what is wrong, what came."""
    lines = []
    for fault in error.errors():
        key = ".".join(str(part) for part in fault["loc"] if part != "[key]")
        unknown = fault["type"] == "extra_forbidden"
        message = "unknown parameter" if unknown else fault["msg"].removeprefix("Value error, ")
        got = "" if unknown or fault["type"] in ("value_error", "missing") else f", got {fault['input']!r}"
        lines.append(f"{key}: {message}{got}" if key else f"{message}")
    return lines
