"""From a table to predictions on the bundled heart data, in under a minute.

python examples/first_model.py
"""

import pyarrow.compute as pc

from superpose import Superpose
from superpose.data import load_bundled

patients = load_bundled("heart")
# The patients of one hospital play the part of the new ones.
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
for target, metrics in model.evaluate(new).items():
    print(target, {name: round(value, 3) for name, value in metrics.items()})
