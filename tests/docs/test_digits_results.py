"""What the page of digits' results says: the rules of its verdicts, its correlations, its own bytes."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import SimpleNamespace

import pytest

from wsol.board import read_board
from wsol.board.rows.seeds import Estimate
from wsol.pipeline.diagnosis.figures import PRIMARY
from wsol.pipeline.digits_recipes import controls_of, row_name

ROOT = Path(__file__).resolve().parents[2]
HEAD = "images,metric,attention,maps,precision,against,seeds,n,difference,low,high,p,by_seed"


@pytest.fixture
def made_up(generate):
    """Rows with one figure each, by images, attention and metric."""

    def make(values: dict[tuple[str, str, str], float], in_float32=None):
        other = grouped(in_float32 or {})
        return generate("digits_rows").DigitsRows(other | grouped(values), other)

    def grouped(values: dict[tuple[str, str, str], float]):
        rows: dict[tuple[str, str, str], SimpleNamespace] = {}
        for (images, attention, metric), value in values.items():
            row = rows.setdefault((f"digits {images}", attention, "cam"), SimpleNamespace(estimates={}))
            row.estimates[metric] = Estimate(value, std=1.0)
        return rows

    return make


@pytest.fixture
def written_tests(generate, tmp_path):
    """The file of paired tests with some lines against CAM: images, metric, difference, p, seeds."""

    def write(
        *lines: tuple[str, str, float, float, str],
        precision: str = "bf16-mixed",
        name: str = "se",
        against: str = "none",
    ):
        (tmp_path / "results").mkdir(exist_ok=True)
        row = f'"{name}",cam,{precision},"{against}",0 1 2'
        text = [
            f"digits {images},{metric},{row},2000,{difference},-1,1,{p},{by_seed}"
            for images, metric, difference, p, by_seed in lines
        ]
        path = tmp_path / "results" / "digits-tests.csv"
        path.write_text("\n".join(["# the command", HEAD, *text]) + "\n")
        return generate("digits_verdicts").Tests(tmp_path)

    return write


def test_the_page_is_that_of_the_committed_records(generate):
    page = generate("digits_results_page")
    sections = read_board(ROOT / "results").sections
    committed = (ROOT / "docs" / "digits-results.md").read_text("utf-8")
    assert page.digits_results_page(ROOT, sections) == committed, "run python docs/generate"
    readme = (ROOT / "README.md").read_text("utf-8")
    assert page.readme_with_modules(ROOT, sections) == readme, "run python docs/generate"
    assert page.BEGIN in readme and page.END in readme


def test_rows_fall_into_modules_methods_systems_and_ablations(made_up):
    names = ["none", "plain", "se", "adl", "has", "acol(width=96)", "rfga", "rfga(grain=coarse)"]
    names += ["se, dreal", "attention56", "stn"]
    rows = made_up({("base 2", name, "top1_acc"): 97.0 for name in reversed(names)})
    assert rows.attentions == ["none", "plain", "adl", "rfga", "se"]
    assert rows.methods == ["none", "has", "acol(width=96)", "adl"]
    assert rows.systems == ["attention56", "se, dreal", "stn"]
    assert rows.ablations == ["rfga(grain=coarse)"]


def test_a_row_goes_by_what_it_has_besides_cam():
    assert row_name("small_resnet", "none", "cam") == "none"
    assert row_name("small_resnet", "rfga@stage4", "cam") == "rfga@stage4"
    assert row_name("small_resnet", "none", "has") == "has"
    assert row_name("small_resnet", "se", "dreal(reward=scal)") == "se, dreal(reward=scal)"
    assert row_name("attention56", "none", "cam") == "attention56"
    assert row_name("", "", "") == ""


def test_verdicts_by_their_rules(made_up, written_tests):
    """Holm over four: .004 and .012 hold (.05 / 4, .05 / 3), .03 does not (.05 / 2), nor does .04."""
    variants = {figure.test: figure.images.variant for figure in PRIMARY}
    keys = {figure.test: figure.key for figure in PRIMARY}
    scored = ("base", "company", "scale", "several", "parts")
    rows = made_up(
        {(variants[test], who, keys[test]): 50.0 for test in scored for who in ("none", "se")}
        | {(variants["base"], "none", "top1_acc"): 97.0, (variants["base"], "se", "top1_acc"): 95.5}
        | {(variants["parts"], "none", "top1_acc"): 97.0, (variants["parts"], "se", "top1_acc"): 90.0}
    )
    tests = written_tests(
        (variants["base"], keys["base"], 2.0, 0.004, "+1.0 +2.0 +3.0"),
        (variants["company"], keys["company"], -2.0, 0.012, "-1.0 +0.5 -5.5"),
        (variants["scale"], keys["scale"], 9.0, 0.03, "+9.0 +9.0 +9.0"),
        (variants["several"], keys["several"], -9.0, 0.04, "-9.0 -9.0 -9.0"),
        (variants["parts"], keys["parts"], 9.0, 0.0005, "+9.0 +9.0 +9.0"),
    )
    found = {one.figure.test: (one.verdict, one.p_value) for one in tests.judged(rows, "se")}
    assert found == {
        "base": ("better", pytest.approx(0.016)),
        "company": ("seeds disagree", pytest.approx(0.036)),
        "scale": ("cannot be told", pytest.approx(0.06)),
        "several": ("cannot be told", pytest.approx(0.06)),
        "none": ("not scored", None),
        "parts": ("not compared", None),  # top-1 90 against 97
        "context": ("not scored", None),
    }


def test_in_short_names_what_is_better_and_counts_the_rest(generate, made_up, written_tests):
    names = ("none", "plain", "se", "eca", "gc")
    top1 = {("base 2", name, "top1_acc"): 80.0 if name == "gc" else 99.0 for name in names}
    rows = made_up(top1 | {("base 2", name, "max_box_acc@0.5"): 50.0 for name in names})
    tests = written_tests(("base 2", "max_box_acc@0.5", 2.5, 0.001, "1 2 4.5"))
    first = generate("digits_tables").in_short(rows, tests).splitlines()[2]
    # eca and plain classify as CAM does, and are not in the file; gc classifies otherwise.
    assert [cell.strip() for cell in first.split("|")[1:-1]][:2] == ["base .5", "se"]
    assert first.split("|")[3:6] == [" 0 ", " 0 ", " 2 "] and "not compared" in first


def test_a_row_is_compared_with_cam_of_its_own_precision(generate, made_up, written_tests):
    """In bf16 CAM has a top-1 of 99, so that 93 could not be compared; in float32 it has 93.5."""
    images, key = "base 2", "max_box_acc@0.5"
    rows = made_up(
        {(images, "none", "top1_acc"): 99.0, (images, "none", key): 70.0},
        in_float32={
            (images, "none", "top1_acc"): 93.5,
            (images, "none", key): 60.0,
            (images, "se", "top1_acc"): 93.0,
            (images, "se", key): 65.0,
        },
    )
    assert rows.value("digits base 2", key, "none") == 70.0
    assert rows.value("digits base 2", key, "none", "32-true") == 60.0
    assert (rows.in_both, rows.attentions) == (["none"], ["none", "se"])
    tests = written_tests((images, key, 5.0, 0.001, "+5.0 +5.0 +5.0"), precision="32-true")
    assert tests.judged(rows, "se")[0].verdict == "better"
    tables = generate("digits_tables")
    cells = tables.cells_of(rows, tests, "se")
    assert cells[:3] == ["se", "93.0 ± 1.0 †", "65.0 ± 1.0 ↑"]
    assert tables.cells_of(rows, tests, "se", short=True)[:2] == ["se", "65.0 ↑ †"]
    assert tables.cells_of(rows, tests, "none")[:3] == ["*none* (CAM)", "99.0 ± 1.0", "70.0 ± 1.0"]
    lines = tables.both_precisions(rows).splitlines()[-2:]
    assert [line.split("|")[2:5] for line in lines] == [
        [" bf16-mixed ", " 99.0 ± 1.0 ", " 70.0 ± 1.0 "],
        [" 32-true ", " 93.5 ± 1.0 ", " 60.0 ± 1.0 "],
    ]


def test_tests_of_another_precision_are_not_a_row_s(made_up, written_tests):
    images, key = "base 2", "max_box_acc@0.5"
    values = {(images, name, metric): 96.0 for name in ("none", "se") for metric in (key, "top1_acc")}
    tests = written_tests((images, key, 5.0, 0.001, "+5.0 +5.0 +5.0"), precision="32-true")
    assert tests.judged(made_up(values), "se")[0].verdict == "not compared"
    assert tests.judged(made_up({}, in_float32=values), "se")[0].verdict == "better"


def test_where_low_is_better_less_is_better(made_up, written_tests):
    variant, key = "context 0.9 correlated", "auc_context_over_ground"
    rows = made_up(
        {(variant, who, metric): 96.0 for who in ("none", "se") for metric in (key, "top1_acc")}
    )
    tests = written_tests((variant, key, -5.0, 0.001, "-5.0 -4.0 -6.0"))
    assert tests.judged(rows, "se")[-1].verdict == "better"


def test_ranks_are_compared_by_hand(generate, made_up):
    """Ranks 1 2 3 4 5 against 2 1 4 3 5: 1 - 6 * 4 / (5 * 24) = 0.8; the interval by a table of tanh."""
    figure = next(one for one in PRIMARY if one.test == "base")
    names = ["a", "b", "c", "d", "e"]
    rows = made_up({("base 2", name, figure.key): 10.0 * at for at, name in enumerate(names)})
    birds = dict(zip(names, (31.0, 30.5, 40.0, 33.0, 60.0), strict=True))
    correlation = generate("digits_correlation").correlation
    found = correlation(rows, figure, birds, names)
    assert (found.n, found.rho) == (5, pytest.approx(0.8))
    # Fisher's z 1.0986; half width 1.96 * sqrt((1 + 0.32) / 2) = 1.5923.
    assert (found.low, found.high) == (pytest.approx(-0.4573, abs=2e-4), pytest.approx(0.9909, abs=2e-4))
    assert correlation(rows, figure, birds, names[:3]) is None


def test_a_method_is_compared_with_the_network_that_lacks_it(generate, made_up, written_tests, tmp_path):
    names = ("none", "se", "se, dreal", "se, dreal(shuffled=True)")
    top1 = dict(zip(names, (99.0, 80.0, 98.0, 97.0), strict=True))
    figures = {("base 2", name, "top1_acc"): value for name, value in top1.items()}
    rows = made_up(figures | {("base 2", name, "max_box_acc@0.5"): 50.0 for name in names})
    line = ("base 2", "max_box_acc@0.5", 2.5, 0.001, "1 2 4.5")
    tests = written_tests(line, name="se, dreal", against="se, dreal(shuffled=True)")
    head, _, changes, table, words = generate("digits_systems").systems(tmp_path, rows, tests)
    assert head.startswith("## Systems") and changes.startswith("### What a method changes")
    found = [[cell.strip() for cell in row.split("|")[1:4]] for row in table.splitlines()[2:]]
    assert found == [
        ["se, dreal", "*se*", "*otherwise*"],
        ["se, dreal", "*se, dreal(shuffled=True)*", "+2.5 [-1.0, +1.0] ↑"],
        ["se, dreal(shuffled=True)", "*se*", "*otherwise*"],
    ]
    # Against the module alone nothing was compared, so nothing is said of it.
    assert words == (
        "- DREAL against the same critic with shuffled rewards: 1 comparison, better in 1 "
        "(se on base), worse in none.\n"
    )


def test_what_a_control_does_is_not_said_of_its_method(generate, made_up, written_tests):
    """A search by SNES against one by chance: that of chance against CAM is no line of dasNet's."""
    names = ("none", "se", "se, dreal(shuffled=True)", "dasnet", "dasnet(search=random)")
    key = "max_box_acc@0.5"
    rows = made_up({("base 2", name, metric): 97.0 for name in names for metric in ("top1_acc", key)})
    words = generate("digits_systems").in_words
    line = ("base 2", key, 2.5, 0.001, "1 -2 4.5")
    tests = written_tests(line, name="se, dreal(shuffled=True)", against="se")
    assert words(rows, tests) == ""
    tests = written_tests(line, name="dasnet")
    assert words(rows, tests) == (
        "- dasNet against CAM: 1 comparison, better in none, worse in none, in the others it cannot "
        "be told or the seeds disagree.\n"
    )


def test_what_systems_cost_stands_by_them_with_its_command(generate, made_up, written_tests, tmp_path):
    rows = made_up({("base 2", "attention56", "top1_acc"): 97.0})
    tests = written_tests()
    costs = tmp_path / "benchmarks" / "results" / "systems_cost.csv"
    costs.parent.mkdir(parents=True)
    costs.write_text("# python cost.py\n# one thread\nrecipe,training\ncam,1.00\nattention56,2.50\n")
    parts = generate("digits_systems").systems(tmp_path, rows, tests)
    told = "\n".join(parts).partition("### What they cost\n\n")[2]
    assert told.startswith("- `python cost.py`\n- one thread\n\n| recipe | training |")
    assert told.endswith("| attention56 | 2.50 |\n")


def test_the_controls_of_a_row():
    assert controls_of("se, dreal") == ("se", "se, dreal(shuffled=True)")
    assert controls_of("se, dreal(shuffled=True)") == ("se",)
    assert controls_of("rfga(views=['channel', 'height'])") == ("rfga",)
    assert controls_of("dasnet") == ("dasnet(search=random)",)
    assert controls_of("sk") == controls_of("dvan, dvan") == ()


def test_systems_without_a_method_have_no_control(generate):
    controls = generate("digits_systems").controls
    assert list(controls("attention56")) == list(controls("dasnet(search=random)")) == []
    assert list(controls("dasnet")) == ["none", "dasnet(search=random)"]
    assert list(controls("se, dreal(reward=scal)")) == ["se", "se, dreal(shuffled=True)"]


def test_an_ablation_is_no_module(made_up):
    rows = made_up(
        {("base 2", name, "x"): 1.0 for name in ("se", "rfga(grain=coarse)", "none", "plain")}
    )
    assert rows.attentions == ["none", "plain", "se"]
    assert rows.ablations == ["rfga(grain=coarse)"]


def test_a_part_is_compared_with_rfga_of_its_own_precision(generate, made_up, written_tests):
    images, key, coarse = "base 2", "max_box_acc@0.5", "rfga(grain=coarse)"
    rows = made_up(
        {(images, "rfga", key): 70.0, ("parts 0.5", coarse, "max_box_acc@0.7"): 4.0},
        in_float32={(images, "rfga", key): 60.0, (images, coarse, key): 55.0},
    )
    tests = written_tests(
        (images, key, -5.0, 0.01, "-5 -5 -5"), precision="32-true", name=coarse, against="rfga"
    )
    lines = generate("digits_close_looks").parts_of_rfga(rows, tests).splitlines()[-3:]
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    assert [line[:2] for line in cells] == [
        ["rfga", "70.0 ± 1.0"],
        ["rfga", "60.0 ± 1.0 †"],
        [coarse, "55.0 ± 1.0 † (-5.0)"],
    ]
    assert cells[2][-1] == "4.0 ± 1.0"  # trained in bf16, like most rows


def test_paired_tests_are_within_one_precision(monkeypatch):
    """Two rows in bf16, three in float32: each is compared with CAM and control of its own alone."""
    path = ROOT / "benchmarks" / "digits_tests.py"
    spec = importlib.util.spec_from_file_location("digits_tests", path)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    compared = []
    monkeypatch.setattr(
        script, "comparison", lambda mine, other, seeds, key: compared.append((mine, other))
    )
    names = [("none", "bf16-mixed"), ("se", "bf16-mixed")]
    names += [("none", "32-true"), ("plain", "32-true"), ("sk", "32-true")]
    rows = {script.Place("digits base 2", name, "cam", own): {0: (name, own)} for name, own in names}
    assert list(script.compared(rows)) == []
    pairs = {(mine[0], other[0]) for mine, other in compared}
    float32 = {("plain", "none"), ("sk", "none"), ("none", "plain"), ("sk", "plain")}
    wanted = {((mine, "32-true"), (other, "32-true")) for mine, other in float32}
    assert pairs == wanted | {(("se", "bf16-mixed"), ("none", "bf16-mixed"))}


def test_rows_of_other_images_are_no_rows_of_the_tests(generate):
    rows = generate("digits_rows")
    assert rows.is_of_tests(SimpleNamespace(place=("digits base 2",)))
    assert rows.is_of_tests(SimpleNamespace(place=("digits several 3 touching",)))
    for images in ("digits base 0 taught", "clutter"):
        assert not rows.is_of_tests(SimpleNamespace(place=(images,)))
