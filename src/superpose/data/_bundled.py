"""Three small real data sets, so that everything can be tried before one's own table is at hand."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from superpose.config import Config
from superpose.errors import DataError, did_you_mean, message

from .read._reading import read_table

FOLDER = Path(__file__).parent / "bundled"


@dataclass(frozen=True)
class BundledSet:
    """What a bundled table is and how it is meant to be used.

    Args:
        description: one line for a list of the sets.
        targets: columns to predict, in the form of the settings file.
        split: how rows are divided, in the form of the settings file.
        ignore: columns that are neither inputs nor targets.
    """

    description: str
    targets: list[dict[str, Any]]
    split: dict[str, Any]
    ignore: list[str]

    def config(self, **arguments: Any) -> Config:
        """The settings of this set.

        Args:
            arguments: further arguments of `Config.from_arguments`, such as seed or training.

        Example:
            >>> BUNDLED["heart"].config(seed=3).split.by
            'stratified'
        """
        own = {"targets": self.targets, "split": self.split, "ignore": self.ignore}
        return Config.from_arguments(**(own | arguments))


def _each(kind: str, *names: str) -> list[dict[str, Any]]:
    return [{"name": name, "kind": kind} for name in names]


BUNDLED: dict[str, BundledSet] = {
    "air": BundledSet(
        description="weather in Beijing, every third hour: six pollutants and an alarm level",
        targets=[
            *_each("number", "pm25", "pm10", "so2", "no2", "co", "o3"),
            {
                "name": "level",
                "kind": "ordinal",
                "levels": [
                    "good",
                    "moderate",
                    "unhealthy_for_sensitive",
                    "unhealthy",
                    "very_unhealthy",
                    "hazardous",
                ],
            },
        ],
        # Neighbouring hours resemble one another: rows drawn at random would test what is known.
        split={"by": "time", "column": "time"},
        ignore=[],
    ),
    "machine": BundledSet(
        description="a milling machine: its failure and five causes, each of them rare",
        targets=_each(
            "binary",
            "machine_failure",
            "tool_wear_failure",
            "heat_dissipation_failure",
            "power_failure",
            "overstrain_failure",
            "random_failure",
        ),
        split={"by": "stratified"},
        ignore=[],
    ),
    "heart": BundledSet(
        description="patients of four hospitals with many gaps: heart disease and its severity",
        targets=[
            *_each("binary", "disease"),
            {"name": "severity", "kind": "ordinal", "levels": [0, 1, 2, 3, 4]},
        ],
        split={"by": "stratified"},
        ignore=[],
    ),
}


def load_bundled(name: str) -> pa.Table:
    """Reads a bundled data set.

    Args:
        name: a key of `BUNDLED`: air, machine or heart.

    Raises:
        DataError: there is no such set.

    Example:
        >>> load_bundled("heart").num_rows
        920
    """
    if name not in BUNDLED:
        raise DataError(
            message(
                "bundled data",
                f"{name!r} given",
                ", ".join(BUNDLED),
                fix=did_you_mean(name, BUNDLED),
            )
        )
    return read_table(FOLDER / f"{name}.csv.gz")


def attribution(name: str) -> str:
    """Where a bundled data set comes from, its licence, and what was changed.

    Example:
        >>> "CC BY 4.0" in attribution("air")
        True
    """
    return (FOLDER / f"{name}.ATTRIBUTION.txt").read_text(encoding="utf-8")
