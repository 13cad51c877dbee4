"""Numbers and verdicts in words, shared by the HTML report and the terminal table.

A verdict is one of four words. Everything that a reader meets (a count of verdicts, the sentence
under a target, a rounded number) is worded here once, so that screen and report agree.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence

from superpose.record import (
    HARMED,
    HELPED,
    NO_DIFFERENCE,
    NOT_TESTED,
    VERDICTS,
    GainRecord,
    RunRecord,
    TargetRecord,
    Verdict,
    mixture_name,
)

FINDINGS = {HELPED: "Sharing helped", HARMED: "Sharing harmed"}

METRIC_NAMES = {
    "auc": "AUC",
    "macro_auc": "macro AUC",
    "micro_auc": "micro AUC",
    "average_precision": "average precision",
    "macro_average_precision": "macro average precision",
    "f1": "F1",
    "macro_f1": "macro F1",
    "micro_f1": "micro F1",
    "weighted_f1": "weighted F1",
    "log_loss": "log-loss",
    "brier": "Brier score",
    "integrated_brier": "integrated Brier score",
    "ece": "calibration error",
    "quadratic_kappa": "quadratic kappa",
    "mae": "MAE",
    "rmse": "RMSE",
    "mape": "MAPE",
    "r2": "R²",
    "abs_rel": "absolute relative error",
    "delta1": "share within a factor of 1.25",
    "poisson_deviance": "Poisson deviance",
    "miou": "mean IoU",
    "map50": "mAP at IoU 0.5",
    "map": "mAP",
    "count_error": "mean error of counts",
    "mrr": "mean reciprocal rank",
    "ndcg_at_10": "nDCG at 10",
    "chrf": "chrF",
}

# Followed by the name of a class.
CLASS_METRICS = {"iou_": "IoU", "ap50_": "AP at IoU 0.5"}


def number(value: float, minus: str = "−") -> str:
    """Returns a number with three or four telling digits, and a dash where there is none.

    Args:
        value: A number, or NaN.
        minus: The sign before negative numbers; terminals may want the ASCII one.

    Example:
        >>> number(0.84712), number(12345.6), number(math.nan)
        ('0.847', '12,346', '–')
    """
    if math.isnan(value):
        return "–" if minus == "−" else "-"
    size = abs(value)
    if math.isinf(value):
        text = "∞"
    elif size >= 1e9:
        text = f"{size:.2e}"
    elif size >= 1e6:
        text = f"{size / 1e6:.2f}M"
    elif size >= 1000:
        text = f"{size:,.0f}"
    elif size >= 100:
        text = f"{size:.1f}"
    elif size >= 10:
        text = f"{size:.2f}"
    elif size >= 1e-3 or size == 0:
        text = f"{size:.3f}"
    else:
        text = f"{size:.1e}"
    return (minus if value < 0 else "") + text


def percent(value: float, minus: str = "−") -> str:
    """Returns a signed percentage without its sign: ``+3.1``, ``−0.4``, ``+41``.

    Example:
        >>> percent(3.14), percent(-41.2), percent(math.nan)
        ('+3.1', '−41', '–')
    """
    if math.isnan(value):
        return "–" if minus == "−" else "-"
    if math.isinf(value):
        return ("+" if value > 0 else minus) + "∞"
    text = f"{abs(value):.1f}" if abs(value) < 9.95 else f"{abs(value):,.0f}"
    if float(text.replace(",", "")) == 0:
        return text
    return (minus if value < 0 else "+") + text


def gain_in_words(gain: GainRecord, minus: str = "−", *, interval: bool = True) -> str:
    """Returns a percentage with its interval.

    Args:
        gain: The percentage; a dash where it is not known.
        minus: The sign before negative numbers; terminals may want the ASCII one.
        interval: Whether the interval follows, if it is known.

    Example:
        >>> gain_in_words(GainRecord(3.14, 1.2, 5.0))
        '+3.1 [+1.2, +5.0]'
    """
    head = percent(gain.gain, minus)
    if not interval or math.isnan(gain.low) or math.isnan(gain.high):
        return head
    return f"{head} [{percent(gain.low, minus)}, {percent(gain.high, minus)}]"


def side(gain: float) -> str:
    """Returns how a loss differs: ``4.8 % higher``."""
    return f"{percent(abs(gain)).lstrip('+')} % {'lower' if gain >= 0 else 'higher'}"


def p_value(p: float) -> str:
    """Returns ``p = 0.021``, ``p < 0.001``, or nothing where there is no test."""
    if math.isnan(p):
        return ""
    return "p < 0.001" if p < 1e-3 else f"p = {p:.3f}"


def metric_name(name: str) -> str:
    """Returns the name of a metric as people write it."""
    for start, words in CLASS_METRICS.items():
        if name.startswith(start):
            return f"{words} of {name.removeprefix(start)}"
    return METRIC_NAMES.get(name, name.replace("_", " "))


def duration(seconds: float) -> str:
    """Returns a time span as people say it.

    Example:
        >>> duration(3.2), duration(75), duration(7320)
        ('3.2 s', '1 min 15 s', '2 h 2 min')
    """
    if math.isnan(seconds):
        return "–"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def plural(count: int, word: str) -> str:
    """Returns ``1 target``, ``6 targets``."""
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"


def listing(words: Sequence[str], last: str = "and") -> str:
    """Returns words as a list in a sentence: ``a, b and c``."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {last} {words[-1]}"


def verdict_counts(targets: Iterable[TargetRecord]) -> dict[Verdict, int]:
    """Returns how many targets have each verdict."""
    seen = Counter(target.sharing.verdict for target in targets)
    return {verdict: seen[verdict] for verdict in VERDICTS}


def headline(targets: Sequence[TargetRecord]) -> str:
    """Returns one sentence that says how often sharing helped.

    Example:
        >>> headline([TargetRecord("a")])
        'Whether sharing helps was not tested.'
    """
    counts = verdict_counts(targets)
    total = len(targets)
    if not total:
        return "There is no target to compare."
    if counts[NOT_TESTED] == total:
        return "Whether sharing helps was not tested."
    worded = (
        ("helped", counts[HELPED] or not counts[HARMED], counts[HELPED]),
        ("made no difference for", counts[NO_DIFFERENCE], counts[NO_DIFFERENCE]),
        ("harmed", counts[HARMED], counts[HARMED]),
    )
    parts = [f"{verb} {count}" for verb, shown, count in worded if shown]
    parts[0] += f" of {plural(total, 'target')}"
    sentence = f"Sharing {listing(parts)}."
    if counts[NOT_TESTED]:
        sentence += f" {plural(counts[NOT_TESTED], 'target')} could not be tested."
    return sentence


def deployed_in_words(targets: Sequence[TargetRecord]) -> str:
    """Returns one sentence that counts what is deployed."""
    counts = Counter(_sort(target) for target in targets)
    if not counts:
        return ""
    parts = [f"{name} for {plural(count, 'target')}" for name, count in counts.most_common()]
    return f"Deployed is {listing(parts)}."


def _sort(target: TargetRecord) -> str:
    """What is deployed, in words that many targets may have in common."""
    weights = target.decision.deployed.weights
    if len(weights) == 1:
        name = mixture_name(weights)
        return f"the {name} alone" if name.endswith(" net") else f"{name} alone"
    if target.decision.replaced:
        return "a mixture with the multi-task net"
    return "a mixture of single-task models"


def sharing_in_words(target: TargetRecord) -> str:
    """Returns one sentence on what sharing a network did to a target."""
    sharing = target.sharing
    gain = sharing.gain
    if sharing.verdict == NOT_TESTED or math.isnan(gain.gain):
        return "Whether sharing helps here was not tested."
    details = []
    if not math.isnan(gain.low) and not math.isnan(gain.high):
        details.append(f"gain {percent(gain.low)} to {percent(gain.high)} %")
    if p_value(gain.p):
        details.append(p_value(gain.p))
    if target.decision.n_rows:
        details.append(plural(target.decision.n_rows, "row"))
    tail = f" ({', '.join(details)})" if details else ""
    finding = FINDINGS.get(sharing.verdict, "No difference was found")
    return (
        f"{finding}: the loss of the multi-task net is {side(gain.gain)} than that of the same net "
        f"trained on this target alone{tail}."
    )


def refit_in_words(record: RunRecord) -> str:
    """Says that what is deployed has learned from more rows than its figures are from; or ""."""
    if not record.refitted:
        return ""
    return (
        f"What is deployed was fitted again on all {record.refitted:,} rows, test rows included. "
        "The figures are of the same procedure before that."
    )
