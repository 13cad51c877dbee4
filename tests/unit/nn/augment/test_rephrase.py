"""Texts in other words: what is replaced is the very text that is known in other words."""

import torch

from superpose.nn import RephraseAugment


def test_a_text_that_is_not_known_stays_as_it_is():
    augment = RephraseAugment(1.0, torch.tensor([[5, 7], [2, 3]]), torch.tensor([[8, 0], [9, 9]]))
    block = torch.tensor([[[5, 7], [7, 5], [2, 3], [0, 0]]])
    assert augment(block)[0].tolist() == [[[8, 0], [7, 5], [9, 9], [0, 0]]]
