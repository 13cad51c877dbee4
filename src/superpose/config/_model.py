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

    def resolved(self, rows: int, *, folds: bool) -> "ResolvedModel":
        """Fills in "auto": smaller tables have smaller networks.

        Args:
            rows: training and validation rows.
            folds: whether networks are trained on folds, which are an ensemble already.

        Example:
            >>> sizes = ModelConfig(depth=3).resolved(5000, folds=True)
            >>> sizes.width, sizes.members, sizes.depth
            (128, 4, 3)
        """
        values = self.model_dump()
        if self.width == "auto":
            values["width"] = 64 if rows < 300 else 128 if folds else 192
        if self.members == "auto":
            values["members"] = 4 if folds else 8
        if self.blocks == 0:
            values |= {"fusion": "none", "blocks": 1}
        return ResolvedModel(**values)


class ResolvedModel(ModelConfig):
    """The network with nothing left to be filled in; the defaults are those of large tables.

    Args:
        width: hidden width of the trunk.
        members: members M of the ensemble.
        blocks: layers of fusion, or of experts.
    """

    width: Width = 192
    members: Copies = 8
    blocks: Layers = 1
