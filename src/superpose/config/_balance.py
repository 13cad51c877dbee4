"""How targets are weighed against each other."""

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from superpose.errors import did_you_mean
from superpose.methods import BALANCE_METHODS

from ._faults import Fault
from ._section import Section, Whole, known_in, reject


def method(value: Any) -> Any:
    """A balancing method may be given by its name alone."""
    return {"method": value} if isinstance(value, str) else value


class BalanceConfig(Section):
    """How targets are weighed against each other while the network learns.

    Args:
        method: `superpose balances` tells what each method is; sum takes the weights of the targets
            as they are.
        every: steps after which a method that reads gradients reads them again.
        at: where gradients are read: at the output of the trunk, or, exactly and at the price of a
            backward pass for each target, on all shared parameters.
        options: the method's own numbers by name, as `superpose balances` lists them.
    """

    method: Annotated[
        str,
        BeforeValidator(known_in(BALANCE_METHODS)),
        Field(json_schema_extra={"enum": list(BALANCE_METHODS)}),
    ] = "sum"
    every: Whole = 4
    at: Literal["trunk", "parameters"] = "trunk"
    options: dict[str, float] = {}

    @model_validator(mode="after")
    def _options(self) -> Self:
        known = BALANCE_METHODS[self.method].options
        faults = []
        for name, value in self.options.items():
            if name not in known:
                allowed = ", ".join(known) or f"none, {self.method} has no options"
                given = f"{name!r} given for {self.method}"
                faults.append(Fault(("options", name), given, allowed, did_you_mean(name, known)))
            elif not known[name].least <= value <= known[name].most:
                allowed = f"{known[name].least:g} to {known[name].most:g}"
                faults.append(Fault(("options", name), f"{value:g} given", allowed))
        if faults:
            raise reject(*faults)
        return self
