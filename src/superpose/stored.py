"""What was stored comes back as it was, or not at all: every field of its type, numbers finite."""

import math
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from superpose.errors import BundleError, key_path, message

T = TypeVar("T")
FIX = "the bundle is damaged; copy or save it again"


@cache
def _adapter(family: Hashable) -> TypeAdapter[Any]:
    whole: Any = family
    return TypeAdapter(whole)


def restored(family: Callable[..., T], values: Mapping[str, Any], what: str) -> T:
    """Builds a dataclass or a model from stored fields.

    Args:
        family: its class; the types of its fields are the schema.
        values: the fields by name, as JSON gives them.
        what: the part of the bundle, for the message.

    Raises:
        BundleError: a field that is missing, unknown, of another type, or not finite.
    """
    if is_dataclass(family):  # pydantic passes over what it does not know
        unknown = sorted(set(values) - {field.name for field in fields(family)})
        if unknown:
            raise damaged(what, (unknown[0],), "unknown")
    try:
        value = _adapter(family).validate_python(values)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise damaged(what, first["loc"], first["msg"].lower()) from None
    except (TypeError, ValueError, RecursionError) as error:
        raise damaged(what, (), f"{type(error).__name__}: {error}") from None
    require_finite(values, what)
    return value


def require_finite(values: Any, what: str) -> None:
    """Makes sure that stored values hold no NaN and no infinity, wherever they stand.

    Raises:
        BundleError: the way to the first that is none.
    """
    for keys in _not_finite(values, ()):
        raise damaged(what, keys, "not a finite number")


def _not_finite(values: Any, keys: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    if isinstance(values, float):
        if not math.isfinite(values):
            yield keys
    elif isinstance(values, Mapping):
        for key, value in values.items():
            yield from _not_finite(value, (*keys, str(key)))
    elif isinstance(values, list | tuple):
        for index, value in enumerate(values):
            yield from _not_finite(value, (*keys, index))


def damaged(what: str, keys: tuple[str | int, ...] = (), given: str = "missing") -> BundleError:
    """The error for a part of a bundle that is not what was stored."""
    where = f"bundle: {what}" + (f": {key_path(keys)}" if keys else "")
    return BundleError(message(where, given, fix=FIX))
