"""Writes what is over a limit of `tests/contracts/test_limits.py` into its `debt.json`.

    python scripts/structure_debt.py

For use after faults were mended or files moved; prints what came in and what went. It goes when
the debt is paid.
"""

import json
import runpy
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]


def main() -> None:
    limits = runpy.run_path(str(ROOT / "tests" / "contracts" / "test_limits.py"))
    file = limits["DEBT"]
    present = limits["faults"]()
    before = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    for rule, exempt in limits["EXEMPT"].items():
        present[rule] = [fault for fault in present[rule] if fault not in exempt]
    for rule, faults in present.items():
        listed = Counter(before.get(rule, []))
        now = Counter(faults)
        for sign, changed in (("+", now - listed), ("-", listed - now)):
            for fault in sorted(changed.elements()):
                print(f"{sign} {rule}: {fault}")
        print(f"{len(faults)} {rule}")
    file.write_text(json.dumps(present, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
