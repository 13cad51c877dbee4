"""Settings: what superpose.yaml may hold, with line numbers for every fault."""

from ._balance import BalanceConfig
from ._columns import ColumnConfig, InputConfig, TargetConfig
from ._config import Arguments, Config, load_config
from ._deploy import DeployConfig
from ._model import ModelConfig, ResolvedModel
from ._proof import ProofConfig
from ._renamed import RENAMED
from ._split import SplitConfig
from ._training import TrainingConfig
from ._windows import PLAIN, WindowsConfig
from ._yaml import groups_text

__all__ = [
    "PLAIN",
    "RENAMED",
    "Arguments",
    "BalanceConfig",
    "ColumnConfig",
    "Config",
    "DeployConfig",
    "InputConfig",
    "ModelConfig",
    "ProofConfig",
    "ResolvedModel",
    "SplitConfig",
    "TargetConfig",
    "TrainingConfig",
    "WindowsConfig",
    "groups_text",
    "load_config",
]
