"""Adds committed records and recipes to the golden list of identities; what stands there stays.

python tests/recipe/add_identities.py
"""

import json
from pathlib import Path

from wsol.recipe import Recipe
from wsol.scores.records import RunRecord, digest

TOP = Path(__file__).parents[2]
GOLDEN = TOP / "tests" / "golden" / "identities.json"


def main() -> None:
    golden = json.loads(GOLDEN.read_text())
    for path in TOP.glob("results/runs/**/*.json"):
        name = path.relative_to(TOP / "results" / "runs").as_posix()
        golden["records"].setdefault(name, RunRecord.read(path).run_id)
    for path in TOP.glob("configs/**/*.yaml"):
        name = path.relative_to(TOP / "configs").as_posix()
        if name not in golden["configs"]:
            golden["configs"][name] = digest(Recipe.from_yaml(path).what())
    GOLDEN.write_text(json.dumps(golden, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
