"""The printed face of a benchmark summary: losses first, then the tables."""

from __future__ import annotations

from typing import Any


def grid(head: list[str], rows: list[list[str]]) -> str:
    """Rows of text as aligned columns, the first to the left."""
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]

    def line(row: list[str]) -> str:
        cells = [
            row[0].ljust(widths[0]),
            *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True)),
        ]
        return "  ".join(cells).rstrip()

    return "\n".join([line(head), "  ".join("-" * w for w in widths), *map(line, rows)])


def _losses(summary: dict[str, Any]) -> list[str]:
    totals, subject = summary["totals"], summary["subject"]
    lines = [f"Losses of {subject}", ""]
    lines += [f"failed cell {'/'.join(map(str, f['cell']))}: {f['why']}" for f in summary["failed"]]
    if totals is None:
        return [*lines, f"no table has all seeds of {subject} and of a reference yet"]
    harmed = totals["harmed"]
    lines.append(f"significantly harmed targets (Holm over all, 5 %): {len(harmed)}")
    lines += [
        f"  {row['table']}.{row['target']}: {row['gain_chosen']:+.2f} % "
        f"against {'/'.join(row['reference_chosen'])}, p {row['holm_worse']:.2g}"
        for row in harmed
    ]
    lines.append(f"harmed by Holm within the table alone: {len(totals['harmed_in_table'])}")
    behind = {t: d for t, d in totals["table"]["delta_percent"].items() if d < 0}
    lines.append(f"tables behind their best reference: {len(behind)}")
    for table, delta in sorted(behind.items(), key=lambda item: item[1]):
        lines.append(f"  {table}: {delta:+.2f} %")
    lines.append("worst targets, against the table's best reference:")
    lines += [
        f"  {row['table']}.{row['target']} ({row['kind']}): {row['gain_table']:+.2f} % "
        f"against {row['reference_table']}"
        for row in sorted(summary["targets"], key=lambda r: r["gain_table"])[:8]
    ]
    return lines


def _errors(summary: dict[str, Any]) -> list[str]:
    methods = summary["methods"]
    rows = []
    for name, table in summary["tables"].items():
        errors = table["errors"]
        best = min(errors.values())
        cells = [
            "." if m not in errors else f"{errors[m]:.4f}{'*' if errors[m] == best else ' '}"
            for m in methods
        ]
        n_targets = len(table["target_errors"][next(iter(errors))])
        rows.append([f"{name} ({table['rows']}, {n_targets})", *cells])
    title = (
        "Mean error per table (rows, targets); * best. Per target: number RRMSE, count deviance "
        "and class log-loss\nrelative to a constant, binary 1 - AUC; mean over targets and "
        f"{len(summary['seeds'])} seeds."
    )
    return [title, "", grid(["table", *methods], rows)]


def _ranks(summary: dict[str, Any]) -> list[str]:
    lines = []
    for key in ("ranks", "ranks_with_all"):
        ranks = summary[key]
        if ranks is None or (key == "ranks_with_all" and ranks == summary["ranks"]):
            continue
        order = sorted(ranks["by_target"], key=ranks["by_target"].get)
        lines += [f"Mean rank over {len(ranks['tables'])} tables (1 is best)", ""]
        body = [[m, f"{ranks['by_target'][m]:.2f}", f"{ranks['by_table'][m]:.2f}"] for m in order]
        lines += [grid(["method", "by target", "by table error"], body), ""]
    return lines


def _gains(summary: dict[str, Any]) -> list[str]:
    totals = summary["totals"]
    if totals is None:
        return []
    title = f"Δ% of {summary['subject']} over single-task references (positive is better)"
    names = ("chosen", "table", "target")
    rows = [
        [table, *(f"{totals[name]['delta_percent'][table]:+.2f}" for name in names)]
        for table in totals["table"]["delta_percent"]
    ]
    rows.append(["mean", *(f"{totals[n]['mean_delta_percent']:+.2f}" for n in names)])
    rows.append(["geometric", *(f"{totals[n]['geometric_delta_percent']:+.2f}" for n in names)])
    rows.append(
        ["Δ% ≥ 0", *(f"{totals[n]['tables_not_behind']}/{totals[n]['tables']}" for n in names)]
    )
    lines = [title, "chosen: best on validation per seed; table: best on the table's test; "
             "target: best on the target's test (oracle)", "",
             grid(["table", *names], rows), "",
             f"significantly helped {len(totals['helped'])}, harmed {len(totals['harmed'])} of "
             f"{len(summary['targets'])} targets (paired over rows, Holm 5 %)"]  # fmt: skip
    return lines


def _sharing(summary: dict[str, Any]) -> list[str]:
    if not summary["sharing"]:
        return []
    rows = []
    for table, sharing in summary["sharing"].items():
        verdicts = ", ".join(f"{n} {v}" for v, n in sharing["verdicts"].items())
        gain = sharing.get("delta")
        deployed_gain = sharing.get("shipped_delta")
        rows.append(
            [
                table,
                "." if gain is None else f"{gain:+.2f}",
                "." if deployed_gain is None else f"{deployed_gain:+.2f}",
                verdicts,
            ]
        )
    head = ["table", "multi-task over single-task, %", "deployed over reference, %", "verdicts"]
    return ["Sharing apart from blending, by the model's own proof", "", grid(head, rows)]


def show(summary: dict[str, Any]) -> str:
    """The whole summary as text, losses first."""
    parts = [part(summary) for part in (_losses, _errors, _ranks, _gains, _sharing)]
    return "\n\n".join("\n".join(lines).strip() for lines in parts if lines)
