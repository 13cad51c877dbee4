"""Data: tables in and out, the schema, splits, leakage checks and the codec."""

from typing import TYPE_CHECKING

from superpose.moved import moved_names

from ._bundled import BUNDLED, BundledSet, attribution, load_bundled
from ._codec import Codec, Features, label_block
from ._memory import available_memory, require_memory
from ._outputs import require_own_columns
from ._predictions import write_predictions
from .read._fingerprint import fingerprint
from .read._plain_rows import as_data
from .read._reading import divided, read_rows, read_table
from .read._table_metadata import folder_of, levels_of, sources_of
from .read._windows import measured, row_keys
from .read._writing import like, write_table
from .schema._inference import infer_schema
from .schema._schema import ColumnSpec, Schema
from .schema._starter import write_starter
from .schema._unlike import unlike_training
from .split._fold import Fold
from .split._leakage import find_leaks
from .split._splits import Split, fold_indices, make_split

__all__ = [
    "BUNDLED",
    "BundledSet",
    "Codec",
    "ColumnSpec",
    "Features",
    "Fold",
    "Schema",
    "Split",
    "as_data",
    "attribution",
    "available_memory",
    "divided",
    "find_leaks",
    "fingerprint",
    "fold_indices",
    "folder_of",
    "infer_schema",
    "label_block",
    "levels_of",
    "like",
    "load_bundled",
    "make_split",
    "measured",
    "read_rows",
    "read_table",
    "require_memory",
    "require_own_columns",
    "row_keys",
    "sources_of",
    "unlike_training",
    "write_predictions",
    "write_starter",
    "write_table",
]

if not TYPE_CHECKING:  # type checkers know the new names only
    __getattr__ = moved_names(
        __name__,
        {
            "Config": "superpose.config:Config",
            "ModelConfig": "superpose.config:ModelConfig",
            "load_config": "superpose.config:load_config",
        },
    )
