"""The lists of ways to share and of ways to balance."""

from typer.testing import CliRunner

from superpose.balance import BALANCERS
from superpose.cli import app
from superpose.nn import FUSIONS, network_cost


def test_fusions_are_listed_with_paper_and_cost() -> None:
    result = CliRunner().invoke(app, ["fusions", "--targets", "100"])
    assert result.exit_code == 0
    named = [line.split()[0] for line in result.output.splitlines() if line[:1].strip()]
    assert [name for name in named if name in FUSIONS] == list(FUSIONS)
    assert "Misra 2016" in result.output
    assert "a whole network of 100 targets" in result.output


def test_one_target_has_nobody_to_share_with() -> None:
    assert CliRunner().invoke(app, ["fusions", "--targets", "1"]).exit_code == 2


def test_inducing_tokens_cost_in_proportion_to_the_targets_and_attention_to_their_square() -> None:
    def more(name: str, targets: int) -> int:
        return (
            network_cost(name, targets).multiplications
            - network_cost("none", targets).multiplications
        )

    assert more("inducing", 2000) < 10.5 * more("inducing", 200)
    assert more("task-attention", 2000) > 30 * more("task-attention", 200)


def test_balances_are_listed_with_paper_and_options() -> None:
    result = CliRunner().invoke(app, ["balances"])
    assert result.exit_code == 0
    named = [line.split()[0] for line in result.output.splitlines() if line[:1].strip()]
    assert [name for name in named if name in BALANCERS] == list(BALANCERS)
    assert "Navon 2022" in result.output
    assert "temperature 2" in result.output
