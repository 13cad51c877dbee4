"""The network: how targets share, and how large its parts are."""

from typing import Annotated

from pydantic import BeforeValidator, Field

from superpose.methods import FUSION_METHODS

from ._section import Auto, Copies, Layers, Section, Width, known_in


class ModelConfig(Section):
    """The network.

    Args:
        fusion: how targets share; `superpose fusions` tells what each method is and costs.
        width: width of the trunk; auto is 192, for small tables 128, below 300 rows 64.
        members: members of the ensemble that share most weights; auto is 8, or 4 where folds
            are an ensemble already.
        depth: layers of the trunk.
        state: width of a task state.
        rank: rank of the attention between tasks.
        blocks: blocks of fusion, or layers of experts; 0 is the same as no fusion.
        embedding: width of the embedding of an input column.
        dropout: share of activations dropped in training.
        donor_gradient: share of a listening target's gradient that reaches the targets it listens
            to; of the methods that listen.
        given: whether the model learns to use targets that are measured already.
    """

    fusion: Annotated[
        str,
        BeforeValidator(known_in(FUSION_METHODS)),
        Field(json_schema_extra={"enum": list(FUSION_METHODS)}),
    ] = "task-attention"
    width: Auto | Width = "auto"
    members: Auto | Copies = "auto"
    depth: Layers = 2
    state: Width = 32
    rank: Width = 16
    blocks: int = Field(default=1, ge=0, le=128)
    embedding: Width = 16
    dropout: float = Field(default=0.1, ge=0, lt=1)
    donor_gradient: float = Field(default=1.0, ge=0, le=1)
    given: bool = True
