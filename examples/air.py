"""Three pollutants of one station from the weather, tested on later months, with intervals.

python examples/air.py
"""

from superpose import Superpose
from superpose.data import load_bundled

air = load_bundled("air")
past = air.slice(0, 10_000)
later = air.slice(10_000)

model = Superpose(
    targets=["pm25", "no2", "o3"],
    ignore=["pm10", "so2", "co", "level"],
    # Neighbouring hours resemble one another: rows drawn at random would test what is known.
    split={"by": "time", "column": "time"},
    # Small and without trees, so that it ends soon.
    model={"width": 64, "members": 2},
    training={"epochs": 10, "patience": 3},
    references="network",
)
model.fit(past)

print(model.verdicts())
for target, metrics in model.evaluate(later).items():
    # Intervals are made for 90 %; later months need not be like those that set their width.
    print(f"{target}: RMSE {metrics['rmse']:.1f}, {metrics['coverage']:.0%} inside the interval")
print(model.predict(later).slice(0, 3).to_pylist())
