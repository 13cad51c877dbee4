"""From a table to predictions on the bundled heart data, in under a minute.

python examples/first_model.py
"""

import pyarrow.compute as pc

from superpose import Superpose
from superpose.data import load_bundled

patients = load_bundled("heart")
# The patients of one hospital play the part of the new ones, and the harder part: nothing of their
# hospital has been seen. The rows that `fit` keeps for the test are of the hospitals it knows.
new = patients.filter(pc.equal(patients["hospital"], "Long Beach"))
known = patients.filter(pc.not_equal(patients["hospital"], "Long Beach"))

model = Superpose(
    targets=["disease", {"name": "severity", "kind": "ordinal"}],
    ignore=["hospital"],
    # Small, so that it ends soon; leave these out for a model that is to be used.
    model={"width": 64, "members": 2},
    training={"epochs": 20},
    proof={"trees": ["hist"], "folds": 3, "repeats": 1},
).fit(known)

print(model.verdicts())

print(model.predict(new.slice(0, 3)).to_pylist())

# `fit` has kept some patients for its test, of the hospitals that the model knows.
unknown = model.evaluate(new)
for target, known_ones in model.facts["metrics"].items():
    for name in ("accuracy", "score"):
        here = known_ones["shipped"][name]
        there = unknown[target][name]
        print(f"{target}, {name}: {here:.2f} in hospitals it knows, {there:.2f} in one it does not")
print(
    "A test says how good a model is on rows like its own. If it is to serve other hospitals, split"
    "\nby hospital, so that the test is of hospitals it has not seen: split={'by': 'group', ...}."
)
