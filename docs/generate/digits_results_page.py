"""The records on digits, and the paired tests of them -> docs/digits-results.md, and README's table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from digits_close_looks import close_looks
from digits_correlation import birds, correlation
from digits_networks import drawings, told_apart
from digits_rows import OF_SYSTEMS, DigitsRows
from digits_systems import systems
from digits_tables import OF_ALL, both_precisions, every_module, every_row, in_short, without_attention
from digits_verdicts import Tests
from markdown_table import table
from token_networks import token_networks

from wsol.attention import ATTENTION
from wsol.board.tables.sections import Section
from wsol.pipeline.diagnosis.tables import name_of

BIRDS = "CUB-200-2011, first 40 classes"
BEGIN, END = "<!-- modules: written by python docs/generate -->", "<!-- /modules -->"

HEAD = """---
hide: [navigation]
---

# Digits: results

*This page is generated from the run records by `python docs/generate`: no figure is typed by hand.*

Every module on the seven tests of [digits](digits.md): which failure of a class map it mends. One
network (small_resnet), one budget (12 epochs of AdamW), one thread, seeds 0, 1 and 2, images of
generator seed 0. Numbers are percent, mean ± standard deviation over the seeds. Thresholds are the best
on the scored images, for every row alike.

- ↑ better than CAM, ↓ worse: the paired test over images says so at 5 % after Holm's correction over the
  row's tests, **and** all seeds agree. It speaks of these networks: what other seeds would train, three
  do not say. No mark: it cannot be told, or the seeds disagree.
- (In parentheses): the row classifies otherwise than CAM (top-1 below 95, and more than a point apart),
  so its maps are not compared.
- † beside a top-1: trained in float32 (`--training.precision 32-true`), and so are the figures that
  follow it on that training set; all others in bf16. They are compared with CAM and with the control
  trained in float32 as well.
- LTPA is read by its scores, all other rows by their class maps.
- *plain* is the control: as many parameters as RFGA, and no attention.
- memory: the peak of one step of training (`python benchmarks/training_memory.py`).
- An empty cell was not scored.

## In short

Modules by the paired test of each figure: the names of those that are better than CAM, and how many are
worse. *Not told*: it cannot be told, or the seeds disagree.
"""

EVERY = """## Every module
"""

METHODS = """## The reference's methods

HaS, CutMix, ACoL, SPG and ADL by the defaults of wsolevaluation (`configs/methods`), ACoL and SPG with
heads of this network's width; at the budget of CAM, nothing searched. What stands in parentheses does
not classify as CAM does after this budget: that is no verdict on its maps. On birds (see
[Results](results.md)) each has weights to start from and a rate of its own.
"""

CLOSE = """## RFGA, TDAM and LTPA against CAM

By rules: *better* and *worse* as above. Beside the seven tests: three objects that touch, and images
whose texture has nothing to do with the class, which are descriptive.
"""

CORRELATIONS = """## Digits and birds

Spearman's rank correlation of each test with MaxBoxAcc .5 on birds (CUB-200-2011, its first 40 classes;
another network, pretrained, one seed) over all modules, and its 95 % interval after Bonett and Wright
(2000). Where the interval holds 0, none was found.
"""

COMMANDS = """## The commands

In an empty folder of results; in this one all is recorded, and kept. What has a †, and the float32 rows
of the table of two precisions, were trained with `--training.precision 32-true` after the grid's
options, as one does on a CPU that does not compute bf16: there bf16 is far slower.

```bash
for test in base company scale none several parts context; do
    wsol prepare digits --test $test --output manifests/digits-$test
done
wsol prepare digits --test several --spacing touching --output manifests/digits-touching
wsol prepare digits --test context --texture uncorrelated --output manifests/digits-uncorrelated
GRID="--seeds 0,1,2 --jobs 2 --results results"
CLOSE="configs/digits/cam.yaml configs/digits/rfga.yaml configs/digits/tdam.yaml"
CLOSE="$CLOSE configs/digits/ltpa.yaml configs/digits/plain.yaml"
BASE="--data.manifest manifests/digits-base --also manifests/digits-company manifests/digits-scale"
BASE="$BASE manifests/digits-none manifests/digits-several"
wsol benchmark --config configs/digits/*.yaml $BASE $GRID
wsol benchmark --config $CLOSE $BASE manifests/digits-touching $GRID
wsol benchmark --config configs/digits/*.yaml --data.manifest manifests/digits-parts $GRID
wsol benchmark --config configs/methods/*.yaml $BASE $GRID
wsol benchmark --config configs/methods/*.yaml --data.manifest manifests/digits-parts $GRID
SYSTEMS="$(ls configs/systems/*.yaml | grep -v -e trilite -e ts_cam)"
wsol benchmark --config $SYSTEMS $BASE $GRID
wsol benchmark --config $SYSTEMS --data.manifest manifests/digits-parts $GRID
wsol benchmark --config $CLOSE --data.manifest manifests/digits-context \\
    --also manifests/digits-uncorrelated $GRID
for parts in "grain coarse" "views [channel,height]" "views [channel,width]" "views [height,width]"; do
    RFGA="configs/digits/rfga.yaml --attention.options.$parts --evaluation.maps cam"
    wsol benchmark --config $RFGA $BASE $GRID
    wsol benchmark --config $RFGA --data.manifest manifests/digits-parts $GRID
done
python benchmarks/digits_tests.py --results results --csv results/digits-tests.csv
python benchmarks/training_memory.py --csv benchmarks/results/training_memory.csv
python benchmarks/systems_cost.py --csv benchmarks/results/systems_cost.csv
python benchmarks/digits_validity.py --output validity --jobs 2 --csv results/validity.csv
python benchmarks/digits_generator_seeds.py --output generators --jobs 2 \\
    --csv benchmarks/results/digits_generator_seeds.csv
python docs/generate
```
"""


def digits_results_page(root: Path, sections: Sequence[Section]) -> str:
    """The whole page; the same records and files give the same bytes."""
    rows, tests = DigitsRows.of(sections), Tests(root)
    parts = [HEAD, in_short(rows, tests), EVERY, every_module(root, rows, tests), *_missing(rows)]
    parts += [both_precisions(rows)] if rows.in_both else []
    parts += [without_attention(root, rows)]
    if len(rows.methods) > 2:  # ADL stands among the modules already
        parts += [METHODS, every_row(rows, tests, rows.methods, "method")]
    parts += [*systems(root, rows, tests), CLOSE]
    parts += [*close_looks(root, rows, tests), *_correlations(rows, sections)]
    parts += [*told_apart(root), *drawings(root), *token_networks(sections), COMMANDS]
    return "\n".join(parts)


def readme_with_modules(root: Path, sections: Sequence[Section]) -> str:
    """README.md with its table of modules, between the two comments that mark it."""
    text = (root / "README.md").read_text("utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    made = every_module(root, DigitsRows.of(sections), Tests(root), short=True)
    return f"{before}{BEGIN}\n\n{made}\n{END}{after}" if rest else text


def _missing(rows: DigitsRows) -> list[str]:
    """Which registered modules have no row."""
    there = {attention.partition("(")[0] for attention in rows.attentions}
    wanted = [name for name in ATTENTION.names() if name not in OF_SYSTEMS]
    lacking = [f"`{name}`" for name in wanted if name not in there]
    return [f"Not trained on digits yet: {', '.join(lacking)}.\n"] if lacking else []


def _correlations(rows: DigitsRows, sections: Sequence[Section]) -> list[str]:
    own = next((section for section in sections if section.place[0] == BIRDS), None)
    if own is None:
        return []
    lines, on_birds = [], birds(own)
    for figure in OF_ALL:
        found = correlation(rows, figure, on_birds, rows.attentions)
        if found is not None:
            interval = f"[{found.low:+.2f}, {found.high:+.2f}]"
            cells = [figure.test, name_of(figure), str(found.n), f"{found.rho:+.2f}", interval]
            lines.append(cells)
    return [CORRELATIONS, table(["test", "figure", "modules", "rho", "95 % interval"], lines, left=2)]
