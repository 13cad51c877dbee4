"""Data: settings, tables in and out, kinds of columns, the codec, splits and leakage checks."""

from ._bundled import BUNDLED, BundledSet, attribution, load_bundled
from ._codec import Codec, Features, label_block
from ._config import Config, load_config
from ._conversions import summary
from ._files import local_path, read_whole, require_regular
from ._inference import infer_schema
from ._leakage import find_leaks
from ._memory import require_memory
from ._outputs import require_own_columns
from ._plain_rows import as_source
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
from ._sections import ModelConfig
from ._splits import Split, fold_indices, make_split
from ._starter import write_starter
from ._stored import damaged, require_finite, restored
from ._unlike import unlike_training
from ._windows import measured, row_keys
from ._writing import like, write_table
from ._yaml import groups_text

__all__ = [
    "BUNDLED",
    "BundledSet",
    "Codec",
    "ColumnSpec",
    "Config",
    "Features",
    "ModelConfig",
    "Schema",
    "Split",
    "as_source",
    "attribution",
    "damaged",
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
    "local_path",
    "make_split",
    "measured",
    "read_rows",
    "read_table",
    "read_whole",
    "require_finite",
    "require_memory",
    "require_own_columns",
    "require_regular",
    "restored",
    "row_keys",
    "sources_of",
    "summary",
    "unlike_training",
    "write_predictions",
    "write_starter",
    "write_table",
]
