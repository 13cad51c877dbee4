"""The columns that a model gives back, known before it is trained: each needs a name of its own."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from superpose.config import Config
from superpose.errors import DataError, Faults, location
from superpose.kinds import TargetKind

from ._codec import Codec


def output_columns(kind: TargetKind) -> dict[str, pa.Array]:
    """All columns of a fitted target in `predict`, `predict_proba` and `sample`, without rows."""
    distribution = kind.distribution
    pred = distribution.point_mass(distribution.missing(0))
    return {**kind.decode(pred, None, np.zeros(0)), **kind.decode_proba(pred)}


def require_own_columns(codec: Codec, config: Config) -> None:
    """Makes sure that every column that a model gives back has a name and a type of its own.

    Args:
        codec: fitted codec.
        config: the settings: the locations of the targets, and the columns that tell windows apart.

    Raises:
        DataError: every name that two columns have, and every target whose classes no column holds.
    """
    faults = Faults(DataError)
    owners = dict.fromkeys(("row", "draw"), "what `sample` numbers rows and draws by")
    windows = config.windows
    keys = () if windows is None else (windows.group, windows.time)
    owners |= {key: "what tells windows apart" for key in keys if key}
    names = [target.name for target in config.targets]
    for name, kind in codec.target_kinds.items():
        try:
            columns = output_columns(kind)
        except (pa.ArrowException, OverflowError) as fault:
            given = f"its classes can't be written as predictions ({str(fault).splitlines()[0]})"
            faults.add(location(column=name), given, fix="turn them into text")
            continue
        for column in columns:
            if column in owners:
                given = f"{column!r} is a column of the predictions of {name!r}, and also"
                where = config.at("targets", names.index(name))
                faults.add(where, f"{given} {owners[column]}", fix="rename one of the two")
            owners.setdefault(column, f"of those of {name!r}")
    faults.raise_any()
