"""What is deployed after the proof."""

from ._section import Section


class DeployConfig(Section):
    """What is deployed after the proof.

    Args:
        refit: whether what is deployed is fitted again after the proof, on all rows with a label,
            test rows included; the figures of the report are those from before.
    """

    refit: bool = True
