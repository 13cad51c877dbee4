"""Sections have bounds: numbers that would fill the memory or run for years are refused."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from annotated_types import Le, Lt
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from superpose.config import Config, load_config
from superpose.errors import ConfigError
from superpose.kinds import INPUT_KINDS, TARGET_KINDS
from superpose.methods import BALANCE_METHODS


def fault(tmp_path: Path, text: str) -> str:
    path = tmp_path / "s.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    return str(caught.value).replace(str(path), "s.yaml")


def numbers(model: type[BaseModel], path: str = "") -> Iterator[tuple[str, FieldInfo, Any]]:
    """Every part of a setting that takes a whole or a decimal number."""
    for name, field in model.model_fields.items():
        for part in parts(field.annotation):
            if isinstance(part, type) and issubclass(part, BaseModel):
                yield from numbers(part, f"{path}{name}.")
        yield from ((f"{path}{name}", field, part) for part in (field.annotation,))


def parts(annotation: Any) -> Iterator[Any]:
    yield annotation
    for part in getattr(annotation, "__args__", ()):
        yield from parts(part)


def open_ended(annotation: Any, metadata: Any) -> Iterator[str]:
    """What in an annotation takes a number without an upper bound."""
    limits = [*metadata, *(m for one in metadata for m in getattr(one, "metadata", []))]
    bounded = any(isinstance(limit, Le | Lt) for limit in limits)
    if annotation in (int, float) and not bounded:
        yield annotation.__name__
    inner = getattr(annotation, "__metadata__", ())
    for part in getattr(annotation, "__args__", ()):
        if hasattr(annotation, "__metadata__"):
            yield from open_ended(annotation.__origin__, inner)
        else:
            yield from open_ended(part, () if not isinstance(part, type) else metadata)


# Numbers that are values of the data, not sizes: they allocate nothing. That of an image checks its
# two numbers together.
VALUES = {"levels", "positive", "ignore", "horizons", "exclude", "missing", "size"}


@pytest.mark.parametrize(
    "model",
    [Config, *dict.fromkeys(k.options for k in (*INPUT_KINDS.values(), *TARGET_KINDS.values()))],
    ids=lambda model: model.__name__,
)
def test_every_number_of_the_settings_has_an_upper_bound(model: type[BaseModel]) -> None:
    wild = {
        f"{path}: {kind}"
        for path, field, annotation in numbers(model)
        for kind in open_ended(annotation, field.metadata)
        if path.split(".")[-1] not in VALUES
    }
    assert wild - {"balance.options: float"} == set()  # its bounds are those of the method


def test_options_of_balancing_have_an_upper_bound() -> None:
    for method in BALANCE_METHODS.values():
        assert all(option.most <= 1e6 for option in method.options.values())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("model: {members: 100000}", "model.members: 100000 given; allowed: auto or 1000 or less"),
        ("model: {width: 20000}", "model.width: 20000 given; allowed: auto or 16384 or less"),
        ("model: {depth: 129}", "model.depth: 129 given; allowed: 128 or less"),
        ("proof: {folds: 1001}", "proof.folds: 1001 given; allowed: auto or 1000 or less"),
        ("proof: {repeats: 1001}", "proof.repeats: 1001 given; allowed: 1000 or less"),
        ("training: {epochs: 1000001}", "training.epochs: 1000001 given; allowed: 1000000 or less"),
        ("training: {clip: 1e300}", "training.clip: 1e+300 given; allowed: 1000000 or less"),
        (
            "windows: {columns: [a], time: t, length: 100001}",
            "windows.length: 100001 given; allowed: 100000 or less",
        ),
        (
            "windows: {columns: [a], time: t, length: 3, ahead: 10001}",
            "windows.ahead: 10001 given; allowed: 10000 or less",
        ),
        (
            "inputs: [{name: a, kind: image, size: [16, 2000]}]",
            "inputs[0].size: [16, 2000] given; allowed: height and width from 16 to 1024",
        ),
        ("balance: {method: famo, options: {rate: 1e300}}", "1e+300 given; allowed: 0 to 1e+06"),
    ],
)
def test_a_number_beyond_its_bound_is_refused(tmp_path: Path, text: str, message: str) -> None:
    assert message in fault(tmp_path, f"targets: [y, z]\n{text}")
