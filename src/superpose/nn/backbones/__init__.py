"""Pretrained models as parts of a network."""
