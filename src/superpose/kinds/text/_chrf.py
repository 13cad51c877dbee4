"""How near a text is to another, by runs of characters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

ORDER = 6  # longest run of characters
BETA = 2.0  # recall weighs so many times as precision


def chrf(true: Sequence[str], pred: Sequence[str]) -> float:
    """The character n-gram F-score of texts together, 0 to 1; blanks are passed over.

    Args:
        true: the right texts.
        pred: the predicted ones, as many.

    Example:
        >>> chrf(["red door"], ["red door"]), chrf(["red"], ["oak"])
        (1.0, 0.0)

    Source:
        Popović 2015, "chrF: character n-gram F-score for automatic MT evaluation", with n up to 6
        and beta 2; counts are summed over all texts, and lengths that no text has are left out.
    """
    scores = []
    for n in range(1, ORDER + 1):
        hits = n_true = n_pred = 0
        for a, b in zip(true, pred, strict=True):
            true_runs, pred_runs = _runs(a, n), _runs(b, n)
            hits += (true_runs & pred_runs).total()
            n_true += true_runs.total()
            n_pred += pred_runs.total()
        if n_true or n_pred:
            scores.append((hits / max(n_pred, 1), hits / max(n_true, 1)))
    if not scores:
        return float(list(true) == list(pred))
    p, r = (sum(each) / len(scores) for each in zip(*scores, strict=True))
    return (1 + BETA**2) * p * r / (BETA**2 * p + r) if p and r else 0.0


def _runs(text: str, n: int) -> Counter[str]:
    letters = "".join(text.split())
    return Counter(letters[i : i + n] for i in range(len(letters) - n + 1))
