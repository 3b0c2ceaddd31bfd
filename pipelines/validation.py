"""What parameter files are checked with: sections, checks of single values, and what is said of a fault."""

from __future__ import annotations

import inspect
from typing import Annotated, Any, get_type_hints

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, create_model

Positive = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0, le=1)]
Rate = Annotated[float, Field(gt=0)]
Size = tuple[Positive, Positive]
Row = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


class Section(BaseModel):
    """A section of params.yaml."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def one_of(known: dict[str, object]) -> AfterValidator:
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


def options_of(built: type, given: set[str]) -> type[Section]:
    """A section with the arguments of a class that are not given from elsewhere, checked by their types."""
    hints, arguments = get_type_hints(vars(built)["__init__"]), inspect.signature(built).parameters
    own = {name: (hints[name], argument.default) for name, argument in arguments.items() if name not in given}
    section: type[Section] = create_model("Options", __base__=Section, **own)  # type: ignore[call-overload]
    return section


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
        key = ".".join(map(str, fault["loc"]))
        unknown = fault["type"] == "extra_forbidden"
        message = "unknown parameter" if unknown else fault["msg"].removeprefix("Value error, ")
        got = "" if unknown or fault["type"] in ("value_error", "missing") else f", got {fault['input']!r}"
        lines.append(f"{key}: {message}{got}" if key else f"{message}")
    return lines
