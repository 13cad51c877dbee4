"""The verbs that list methods: ways to share, and ways to balance."""

from __future__ import annotations

from typing import Annotated

import typer

from ._app import app
from ._screen import echo, table


@app.command()
def fusions(
    targets: Annotated[int, typer.Option(help="Number of targets.", metavar="N", min=2)] = 10,
) -> None:
    """List the ways in which targets can share, with their papers and their cost.

    \b
    Examples:
      superpose fusions
      superpose fusions --targets 100
    """
    from superpose.nn import FUSIONS, network_cost

    plain = network_cost("none", targets)
    rows = []
    for name, method in FUSIONS.items():
        cost = network_cost(name, targets)
        weights = cost.parameters / plain.parameters - 1
        sums = cost.multiplications / plain.multiplications - 1
        what = (method.__doc__ or "").split("\n")[0]
        rows.append([name, what, method.paper, f"{weights:+.0%}", f"{sums:+.0%}"])
    table(("fusion", "what it does", "paper", "weights", "arithmetic"), rows)
    echo(
        f"\nWrite `model: {{fusion: NAME}}`. Weights and arithmetic are those of a whole network of"
        f" {targets} targets and 20\nnumbers, against {plain.parameters:,} weights and"
        f" {plain.multiplications:,} multiplications a row with none."
    )


@app.command()
def balances() -> None:
    """List the ways in which targets can be weighed against each other, with their papers.

    \b
    Example:
      superpose balances
    """
    from superpose.balance import BALANCERS

    rows = []
    for name, method in BALANCERS.items():
        what = (method.__doc__ or "").split("\n")[0]
        options = ", ".join(f"{key} {option.default:g}" for key, option in method.options.items())
        reads = "gradients" if method.gradients else "losses"
        rows.append([name, what, method.paper, "nothing" if name == "sum" else reads, options])
    table(("balance", "what it does", "paper", "reads", "options"), rows)
    echo(
        "\nWrite `balance: NAME`, or `balance: {method: NAME, every: 4, options: {...}}`.\n"
        "All but sum, log, gradnorm and db-mtl are torchjd's:"
        ' pip install "superpose[balance]".'
    )
