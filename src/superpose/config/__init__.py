"""Settings: what superpose.yaml may hold, with line numbers for every fault."""

from ._config import Config, load_config
from ._sections import (
    PLAIN,
    ColumnConfig,
    InputConfig,
    ModelConfig,
    SplitConfig,
    TargetConfig,
    WindowsConfig,
)
from ._yaml import groups_text

__all__ = [
    "PLAIN",
    "ColumnConfig",
    "Config",
    "InputConfig",
    "ModelConfig",
    "SplitConfig",
    "TargetConfig",
    "WindowsConfig",
    "groups_text",
    "load_config",
]
