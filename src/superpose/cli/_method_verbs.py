"""The verbs that list methods: ways to share, and ways to balance."""

from __future__ import annotations

from typing import Annotated

import typer

from superpose.errors import listing
from superpose.methods import BALANCE_METHODS, FUSION_METHODS

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
    from superpose.nn import network_cost

    plain = network_cost("none", targets)
    rows = []
    for name, method in FUSION_METHODS.items():
        cost = network_cost(name, targets)
        weights = cost.parameters / plain.parameters - 1
        sums = cost.multiplications / plain.multiplications - 1
        rows.append([name, method.summary, method.paper, f"{weights:+.0%}", f"{sums:+.0%}"])
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
    rows = []
    for name, method in BALANCE_METHODS.items():
        options = ", ".join(f"{key} {option.default:g}" for key, option in method.options.items())
        rows.append([name, method.summary, method.paper, method.reads, options])
    table(("balance", "what it does", "paper", "reads", "options"), rows)
    own = listing([name for name, method in BALANCE_METHODS.items() if not method.packages])
    echo(
        "\nWrite `balance: NAME`, or `balance: {method: NAME, every: 4, options: {...}}`.\n"
        f"All but {own} need more packages:"
        ' pip install "superpose[balance]".'
    )
