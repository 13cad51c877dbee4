"""The names of all ways to share and to balance, known without importing torch.

A method is a class in a file of its own and an entry here; nothing else names it. Settings, command
line and pages read the tables; ``superpose.nn.FUSIONS`` and ``superpose.balance.BALANCERS`` give
the class of a name, which is imported when it is first used.

>>> from superpose.methods import BALANCE_METHODS, FUSION_METHODS
>>> FUSION_METHODS["mmoe"].paper
'Ma 2018'
>>> BALANCE_METHODS["cagrad"].packages
('torchjd', 'cvxpy')
>>> BALANCE_METHODS["dwa"].options["temperature"].default
2.0
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Generic, Literal, NamedTuple, TypeVar

__all__ = ["BALANCE_METHODS", "FUSION_METHODS", "Classes", "Method", "Option"]

T = TypeVar("T")


class Option(NamedTuple):
    """A number that the user of a method may set.

    Args:
        default: Its value where it is not set.
        least: Its least value.
        most: Its largest value.
    """

    default: float
    least: float = 0.0
    most: float = 1e6  # far beyond what any paper tries, and within float32


@dataclass(frozen=True)
class Method:
    """What is known of a method before its module is imported.

    Args:
        module: Absolute name of the module that holds its class.
        class_name: Name of the class.
        summary: What it does, in the sentence that opens the docstring of the class.
        paper: Where it is from.
        reads: What it looks at to weigh targets; "nothing" for every fusion.
        options: The numbers that may be set, by name.
        packages: What has to be installed beside the base.
    """

    module: str
    class_name: str
    summary: str
    paper: str
    reads: Literal["nothing", "losses", "gradients"] = "nothing"
    options: Mapping[str, Option] = field(default_factory=dict)
    packages: tuple[str, ...] = ()

    def load(self) -> Any:
        """Import the module and return the class."""
        return getattr(import_module(self.module), self.class_name)


class Classes(Mapping[str, type[T]], Generic[T]):
    """The class of each method of a table, imported when it is first used.

    Args:
        methods: The table; what is added to it later counts too.
    """

    def __init__(self, methods: Mapping[str, Method]) -> None:
        self._methods = methods

    def __getitem__(self, name: str) -> type[T]:
        loaded: type[T] = self._methods[name].load()
        return loaded

    def __iter__(self) -> Iterator[str]:
        return iter(self._methods)

    def __len__(self) -> int:
        return len(self._methods)

    def __contains__(self, name: object) -> bool:  # Mapping's own would import the class
        return name in self._methods


FUSION_METHODS: dict[str, Method] = {
    "task-attention": Method(
        "superpose.nn.fusion._attention",
        "TaskAttention",
        "Adds to each state what it chooses to hear from the others; starts as the identity.",
        "Superpose; after Vaswani 2017",
    ),
    "static": Method(
        "superpose.nn.fusion._static",
        "StaticWeights",
        "Task attention whose weights are the same for all rows: pair biases and the sink alone.",
        "Superpose; an ablation of task-attention",
    ),
    "inducing": Method(
        "superpose.nn.fusion._inducing",
        "InducingTokens",
        "Lets a few learned tokens read all states, and every state read the tokens.",
        "Lee 2019, induced set attention",
    ),
    "cross-stitch": Method(
        "superpose.nn.fusion._cross_stitch",
        "CrossStitch",
        "Mixes states channel by channel with learned weights that may be negative.",
        "Misra 2016",
    ),
    "mmoe": Method(
        "superpose.nn.fusion._mmoe",
        "MMoE",
        "Forms each state as a mixture of shared experts, weighed by the target's own gate.",
        "Ma 2018",
    ),
    "ple": Method(
        "superpose.nn.fusion._ple",
        "PLE",
        "Forms each state from an expert of its own and shared experts, layer by layer.",
        "Tang 2020",
    ),
    "adatt": Method(
        "superpose.nn.fusion._adatt",
        "AdaTT",
        "Forms each state from the experts of all targets by a gate, and its own by a linear map.",
        "Li 2023",
    ),
    "mtan": Method(
        "superpose.nn.fusion._mtan",
        "MTAN",
        "Forms each state from the trunk's output under a soft mask of the target's own.",
        "Liu 2019",
    ),
    "born": Method(
        "superpose.nn.fusion._born",
        "BornAttention",
        "Task attention with complex amplitudes, whose squared sizes are the weights (Born).",
        "Born 1926, the rule alone",
    ),
    "born-real": Method(
        "superpose.nn.fusion._born",
        "BornReal",
        "Task attention whose weights are squared real scores, scaled to sum to one.",
        "Superpose; a control of born",
    ),
    "signed": Method(
        "superpose.nn.fusion._born",
        "SignedAttention",
        "Task attention whose weights keep the sign of their score; their squares sum to one.",
        "Superpose; a control of born",
    ),
    "essay": Method(
        "superpose.nn.fusion._essay",
        "EssayFusion",
        "Replaces every state by the attention-weighted mean of all, H' = softmax(QKᵀ/√d) H.",
        "the formula that Superpose started from; Vaswani 2017",
    ),
    "none": Method(
        "superpose.nn.fusion._base",
        "NoFusion",
        "Leaves every task state as it is, so that only the trunk is shared.",
        "Caruana 1997, hard parameter sharing",
    ),
}

BALANCE_METHODS: dict[str, Method] = {
    "sum": Method(
        "superpose.balance._base",
        "PlainSum",
        "Weighs all targets alike; each counts by the share of its uncertainty that is explained.",
        "Kurin 2022 and Xin 2022, why a plain sum is hard to beat",
    ),
    "log": Method(
        "superpose.balance._own",
        "LogLoss",
        "Lowers the sum of the logarithms of the losses, so that equal ratios count alike.",
        "Chennupati 2019 and Lin 2023, the log transform",
        reads="losses",
    ),
    "uw": Method(
        "superpose.balance._torchjd",
        "UncertaintyWeights",
        "Learns a variance for each target that divides its loss.",
        "Kendall 2018, UW",
        reads="losses",
        packages=("torchjd",),
    ),
    "dwa": Method(
        "superpose.balance._torchjd",
        "DynamicAverage",
        "Weighs up targets whose loss fell least between the last two epochs.",
        "Liu 2019, DWA",
        reads="losses",
        options={"temperature": Option(2.0, 0.01)},
        packages=("torchjd",),
    ),
    "rlw": Method(
        "superpose.balance._torchjd",
        "RandomWeights",
        "Draws new weights for every batch.",
        "Lin 2022, RLW",
        reads="losses",
        packages=("torchjd",),
    ),
    "imtl-l": Method(
        "superpose.balance._torchjd",
        "ImpartialLosses",
        "Learns scales that bring all losses to the same size.",
        "Liu 2021, IMTL-L",
        reads="losses",
        packages=("torchjd",),
    ),
    "gls": Method(
        "superpose.balance._torchjd",
        "GeometricMean",
        "Lowers the geometric mean of the losses.",
        "Chennupati 2019, GLS",
        reads="losses",
        packages=("torchjd",),
    ),
    "stch": Method(
        "superpose.balance._torchjd",
        "SmoothTchebycheff",
        "Lowers a smooth maximum of the losses.",
        "Lin 2024, STCH",
        reads="losses",
        options={"mu": Option(0.1, 0.001)},
        packages=("torchjd",),
    ),
    "pbi": Method(
        "superpose.balance._torchjd",
        "BoundaryIntersection",
        "Lowers the losses along the diagonal, and punishes leaving it.",
        "Zhang 2007, PBI",
        reads="losses",
        options={"theta": Option(1.0)},
        packages=("torchjd",),
    ),
    "cosmos": Method(
        "superpose.balance._torchjd",
        "Cosmos",
        "Lowers the mean loss, and rewards losses of equal size.",
        "Ruchte 2021, COSMOS",
        reads="losses",
        options={"lambda": Option(1.0)},
        packages=("torchjd",),
    ),
    "famo": Method(
        "superpose.balance._torchjd",
        "FastAdaptive",
        "Lowers all losses at an equal rate, by how the last step has changed them.",
        "Liu 2023, FAMO",
        reads="losses",
        options={"rate": Option(0.025)},
        packages=("torchjd",),
    ),
    "gradnorm": Method(
        "superpose.balance._own",
        "GradNorm",
        "Learns weights that bring gradients to the size that each rate of training asks for.",
        "Chen 2018, GradNorm",
        reads="gradients",
        options={"alpha": Option(1.5), "rate": Option(0.025)},
    ),
    "db-mtl": Method(
        "superpose.balance._own",
        "DualBalancing",
        "Takes logarithms of the losses and brings all gradients to the length of the longest.",
        "Lin 2023, DB-MTL",
        reads="gradients",
        options={"beta": Option(0.9, 0.0, 1.0)},
    ),
    "mgda": Method(
        "superpose.balance._torchjd",
        "MultipleGradient",
        "Takes the shortest vector in the hull of the gradients.",
        "Désidéri 2012 and Sener 2018, MGDA",
        reads="gradients",
        packages=("torchjd",),
    ),
    "pcgrad": Method(
        "superpose.balance._fast",
        "PCGrad",
        "Projects each gradient off those it conflicts with.",
        "Yu 2020, PCGrad",
        reads="gradients",
    ),
    "gradvac": Method(
        "superpose.balance._fast",
        "GradVac",
        "Turns gradients towards the cosine that they usually have.",
        "Wang 2021, GradVac",
        reads="gradients",
        options={"beta": Option(0.5, 0.0, 1.0)},
    ),
    "cagrad": Method(
        "superpose.balance._torchjd",
        "CAGrad",
        "Serves the worst-off target within a ball around the mean gradient.",
        "Liu 2021, CAGrad",
        reads="gradients",
        options={"c": Option(0.4, 0.0, 1.0)},
        packages=("torchjd", "cvxpy"),
    ),
    "imtl-g": Method(
        "superpose.balance._torchjd",
        "ImpartialGradients",
        "Takes the vector that has the same length along every gradient.",
        "Liu 2021, IMTL-G",
        reads="gradients",
        packages=("torchjd",),
    ),
    "nash-mtl": Method(
        "superpose.balance._fast",
        "NashMTL",
        "Bargains for a direction that no target would trade for another.",
        "Navon 2022, Nash-MTL",
        reads="gradients",
    ),
    "aligned-mtl": Method(
        "superpose.balance._torchjd",
        "AlignedMTL",
        "Levels the singular values of the gradients.",
        "Senushkin 2023, Aligned-MTL",
        reads="gradients",
        packages=("torchjd",),
    ),
    "fairgrad": Method(
        "superpose.balance._torchjd",
        "FairGrad",
        "Shares progress by alpha-fairness.",
        "Ban 2024, FairGrad",
        reads="gradients",
        options={"alpha": Option(1.0)},
        packages=("torchjd", "scipy"),
    ),
    "config": Method(
        "superpose.balance._torchjd",
        "ConFIG",
        "Takes the vector that has the same cosine to every gradient.",
        "Liu 2024, ConFIG",
        reads="gradients",
        packages=("torchjd",),
    ),
    "upgrad": Method(
        "superpose.balance._torchjd",
        "UPGrad",
        "Projects each gradient onto the cone where no target is harmed, and adds them up.",
        "Quinton 2024, UPGrad",
        reads="gradients",
        packages=("torchjd", "quadprog", "qpsolvers"),
    ),
    "dualproj": Method(
        "superpose.balance._torchjd",
        "DualProj",
        "Projects the mean gradient onto the cone where no target is harmed.",
        "Lopez-Paz 2017, DualProj",
        reads="gradients",
        packages=("torchjd", "quadprog", "qpsolvers"),
    ),
    "pcd": Method(
        "superpose.balance._torchjd",
        "PriorityDescent",
        "Serves the first target, as far as the others keep some progress.",
        "PCD, TMLR 2026",
        reads="gradients",
        options={"tau": Option(0.02, 0.0, 1.0)},
        packages=("torchjd",),
    ),
}
