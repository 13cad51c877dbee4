"""Data: settings, tables in and out, kinds of columns, the codec, splits and leakage checks."""

from ._bundled import BUNDLED, BundledSet, attribution, load_bundled
from ._codec import Codec, Features, label_block
from ._config import Config, load_config
from ._inference import infer_schema
from ._leakage import find_leaks
from ._outputs import require_own_columns
from ._predictions import write_predictions
from ._reading import (
    divided,
    fingerprint,
    folder_of,
    levels_of,
    read_rows,
    read_table,
    sources_of,
)
from ._schema import ColumnSpec, Schema
from ._splits import Split, fold_indices, make_split
from ._starter import write_starter
from ._unlike import unlike_training
from ._windows import row_keys
from ._writing import like, write_table
from ._yaml import groups_text

__all__ = [
    "BUNDLED",
    "BundledSet",
    "Codec",
    "ColumnSpec",
    "Config",
    "Features",
    "Schema",
    "Split",
    "attribution",
    "divided",
    "find_leaks",
    "fingerprint",
    "fold_indices",
    "folder_of",
    "groups_text",
    "infer_schema",
    "label_block",
    "levels_of",
    "like",
    "load_bundled",
    "load_config",
    "make_split",
    "read_rows",
    "read_table",
    "require_own_columns",
    "row_keys",
    "sources_of",
    "unlike_training",
    "write_predictions",
    "write_starter",
    "write_table",
]
