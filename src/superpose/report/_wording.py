"""Numbers and verdicts in words, shared by the HTML report and the terminal table.

A verdict is one of four words. Everything that a reader meets (a count of verdicts, the sentence
under a target, a rounded number) is worded here once, so that screen and report agree.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

HELPED, NO_DIFFERENCE, HARMED, NOT_TESTED = "helped", "no difference", "harmed", "not tested"
VERDICTS = (HELPED, NO_DIFFERENCE, HARMED, NOT_TESTED)

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

ENGINE_NAMES = {
    "joint": "joint network",
    "alone": "network alone",
    "network": "network alone",
    "trees": "boosted trees",
    "constant": "constant",
    "copula": "copula of the residuals",
    "trees given": "boosted trees told some targets",
    "trees all": "boosted trees told all targets",
}
# A blend is named by the short names of its parts; these two say nothing by themselves.
BLEND_PARTS = {"trees given": "trees told some targets", "trees all": "trees told all targets"}


def real(value: Any) -> float:
    """Returns a float, NaN where the value is None or not a number."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return math.nan


def number(value: Any, minus: str = "−") -> str:
    """Returns a number with three or four telling digits, and a dash where there is none.

    Args:
        value: A number, NaN or None.
        minus: The sign before negative numbers; terminals may want the ASCII one.

    Example:
        >>> number(0.84712), number(12345.6), number(None)
        ('0.847', '12,346', '–')
    """
    x = real(value)
    if math.isnan(x):
        return "–" if minus == "−" else "-"
    size = abs(x)
    if math.isinf(x):
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
    return (minus if x < 0 else "") + text


def percent(value: Any, minus: str = "−") -> str:
    """Returns a signed percentage without its sign: ``+3.1``, ``−0.4``, ``+41``.

    Example:
        >>> percent(3.14), percent(-41.2), percent(None)
        ('+3.1', '−41', '–')
    """
    x = real(value)
    if math.isnan(x):
        return "–" if minus == "−" else "-"
    if math.isinf(x):
        return ("+" if x > 0 else minus) + "∞"
    text = f"{abs(x):.1f}" if abs(x) < 9.95 else f"{abs(x):,.0f}"
    if float(text.replace(",", "")) == 0:
        return text
    return (minus if x < 0 else "+") + text


def interval_of(value: Any) -> tuple[float, float]:
    """Returns the two bounds of an interval, NaN where it is missing."""
    if value is None or len(value) != 2:
        return math.nan, math.nan
    return real(value[0]), real(value[1])


def gain(delta: Any, interval: Any, minus: str = "−") -> str:
    """Returns a percentage with its interval.

    Example:
        >>> gain(3.14, [1.2, 5.0])
        '+3.1 [+1.2, +5.0]'
    """
    low, high = interval_of(interval)
    head = percent(delta, minus)
    if math.isnan(low) or math.isnan(high):
        return head
    return f"{head} [{percent(low, minus)}, {percent(high, minus)}]"


def p_value(value: Any) -> str:
    """Returns ``p = 0.021``, ``p < 0.001``, or nothing where there is no test."""
    x = real(value)
    if math.isnan(x):
        return ""
    return "p < 0.001" if x < 1e-3 else f"p = {x:.3f}"


def metric_name(name: str) -> str:
    """Returns the name of a metric as people write it."""
    for start, words in CLASS_METRICS.items():
        if name.startswith(start):
            return f"{words} of {name.removeprefix(start)}"
    return METRIC_NAMES.get(name, name.replace("_", " "))


def engine_name(name: str) -> str:
    """Returns in words what predicts a target: ``trees`` becomes ``boosted trees``.

    Example:
        >>> engine_name("trees given"), engine_name("blend of joint and trees all")
        ('boosted trees told some targets', 'blend of joint and trees told all targets')
    """
    if name.startswith("blend of "):
        # Only whole parts are replaced: "trees alltime" stays what it is.
        return re.sub(r"trees (?:given|all)(?=,| and |$)", lambda m: BLEND_PARTS[m[0]], name)
    return ENGINE_NAMES.get(name, name)


def with_article(name: str) -> str:
    """Returns what predicts a target as it stands in a sentence: ``the joint network``."""
    words = engine_name(name)
    return words if words[:7] == "boosted" else f"{'a' if words[:5] == 'blend' else 'the'} {words}"


def duration(seconds: Any) -> str:
    """Returns a time span as people say it.

    Example:
        >>> duration(3.2), duration(75), duration(7320)
        ('3.2 s', '1 min 15 s', '2 h 2 min')
    """
    x = real(seconds)
    if math.isnan(x):
        return "–"
    if x < 9.95:
        return f"{x:.1f} s"
    whole = round(x)
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


def verdict_counts(transfer: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Returns how many targets have each verdict; an unknown word counts as not tested."""
    seen = Counter(str(row.get("verdict") or NOT_TESTED) for row in transfer)
    counts = {verdict: seen[verdict] for verdict in VERDICTS[:3]}
    counts[NOT_TESTED] = len(transfer) - sum(counts.values())
    return counts


def headline(transfer: Sequence[Mapping[str, Any]]) -> str:
    """Returns one sentence that says how often sharing helped.

    Example:
        >>> headline([{"verdict": "helped"}, {"verdict": "no difference"}])
        'Sharing helped 1 of 2 targets and made no difference for 1.'
    """
    counts = verdict_counts(transfer)
    total = len(transfer)
    tested = total - counts[NOT_TESTED]
    if not total:
        return "There is no target to compare."
    if not tested:
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


def ships_in_words(transfer: Sequence[Mapping[str, Any]]) -> str:
    """Returns one sentence that counts what ships."""
    counts = Counter(with_article(str(row.get("shipped") or "joint")) for row in transfer)
    if not counts:
        return ""
    parts = [f"{name} for {plural(count, 'target')}" for name, count in counts.most_common()]
    shown = parts[:5]
    if len(parts) > 5:
        rest = len(transfer) - sum(count for _, count in counts.most_common(5))
        shown.append(f"others for {plural(rest, 'target')}")
    return f"What ships: {listing(shown)}."


def target_in_words(row: Mapping[str, Any]) -> list[str]:
    """Returns the sentences under one target: did sharing help, and what ships."""
    verdict = str(row.get("verdict") or NOT_TESTED)
    low, high = interval_of(row.get("interval"))
    delta = real(row.get("delta"))
    details = []
    if not math.isnan(low) and not math.isnan(high):
        details.append(f"gain {percent(low)} to {percent(high)} %")
    if p_value(row.get("p")):
        details.append(p_value(row.get("p")))
    if not math.isnan(real(row.get("n"))):
        details.append(plural(int(real(row["n"])), "row"))
    tail = f" ({', '.join(details)})" if details else ""
    if verdict == NOT_TESTED or math.isnan(delta):
        first = "Whether sharing helps here was not tested."
    else:
        side = "lower" if delta >= 0 else "higher"
        found = FINDINGS.get(verdict, "No difference was found")
        first = (
            f"{found}: the loss of the joint network is {percent(abs(delta)).lstrip('+')} % {side} "
            f"than that of the same network trained alone{tail}."
        )
    words = [first, _shipped_in_words(row)]
    if "shares_with" in row:
        with_whom = listing([str(name) for name in row["shares_with"]]) or "no other target"
        words.insert(0, f"It shares its network with {with_whom}.")
    return words


def _shipped_in_words(row: Mapping[str, Any]) -> str:
    shipped, reference = str(row.get("shipped") or "joint"), str(row.get("reference_name") or "")
    metric = metric_name(str(row.get("metric", "")))
    value = f"{metric} {number(row.get('shipped_value'))}".strip()
    text = f"What ships is {with_article(shipped)}, with {value}"
    if not reference:
        return f"{text}; there is no reference to compare it with."
    if shipped == reference:
        return f"{text}: the single-task reference itself, as nothing shared was proved better."
    text += f" against {number(row.get('reference'))} of its reference ({engine_name(reference)})"
    delta = real(row.get("shipped_delta"))
    if math.isnan(delta):
        return f"{text}."
    side = "lower" if delta >= 0 else "higher"
    details = []
    low, high = interval_of(row.get("shipped_interval"))
    if not math.isnan(low) and not math.isnan(high):
        details.append(f"gain {percent(low)} to {percent(high)} %")
    if p_value(row.get("shipped_p")):
        details.append(p_value(row.get("shipped_p")))
    tail = f" ({', '.join(details)})" if details else ""
    return f"{text}: a loss {percent(abs(delta)).lstrip('+')} % {side}{tail}."
