from __future__ import annotations

import dataclasses

from wsol.board import read_board
from wsol.recipe import Recipe
from wsol.report import write_report
from wsol.report.row_style import style_rows
from wsol.report.table import best_of, class_table, details_table, metrics_table, seeds_table


def tables(results, parse):
    return parse(write_report(results).read_text(encoding="utf-8")).all("table")


def test_the_page_shows_each_cell_where_it_belongs(results, parse, row_texts):
    rows = row_texts(tables(results, parse)[0])
    assert rows[0] == [
        *("Row", "Backbone", "Maps", "Seeds", "MaxBoxAcc .5", "MaxBoxAcc .3", "MaxBoxAcc .7"),
        *("MaxBoxAcc .5 vs centred box", "Optimism, MaxBoxAcc .5"),
    ]
    assert [row[0] for row in rows[1:]] == ["rfgaresnet50", "Centred box", "CAMresnet50"]
    assert rows[1][4:7] == ["100.0", "100.0", "0.0"]
    assert rows[2][4:8] == ["0.0", "100.0", "0.0", ""]
    assert rows[1][7].startswith("+100.0") and "not distinguishable" not in rows[1][7]
    # The records know the threshold at .5 alone, so that only there rows can be compared.
    assert rows[3][4:7] == ["≈0.0", "100.0", "0.0"]
    assert rows[3][7] == "+0.0+0.0 to +0.0not distinguishable"


def test_cells_carry_what_sorting_and_style_need(results, parse):
    table = tables(results, parse)[0]
    best = table.all("tr")[1].all("td")[3]
    assert best.classes == ["number", "bar", "best"]
    assert best.attributes["data-value"] == "100.000000"
    assert best.attributes["style"] == "--part:100.0%"
    assert best.attributes["title"].endswith("p < 0.001, paired over 40 images")
    kinds = [row.all("td")[6].classes for row in table.all("tr")[1:]]
    assert kinds == [["number", "up"], ["number"], ["number", "alike"]]


def test_narrow_screens_read_under_the_name_what_the_columns_left_out_say(results, parse):
    table = tables(results, parse)[0]
    heads = [head.text for head in table.all("th", scope="col") if "minor" in head.classes]
    assert heads == ["Backbone", "Maps", "Seeds"]
    for row in table.all("tr")[1:]:
        assert ["minor" in cell.classes for cell in row.all("td")[:4]] == [True, True, True, False]
    assert [small.text for small in table.all("small", **{"class": "under"})] == ["resnet50"] * 2


def test_tables_are_named_and_say_how_they_are_sorted(results, parse):
    for table in tables(results, parse):
        assert table.all("caption")[0].text.endswith("Signs & <wonders>: test, choe2020, oracle")
        assert len(table.all("th", scope="row")) == len(table.all("tbody")[0].all("tr"))
    heads = tables(results, parse)[0].all("th", scope="col")
    assert [head.text for head in heads if "aria-sort" in head.attributes] == ["MaxBoxAcc .5"]
    assert heads[4].attributes["aria-sort"] == "descending"
    assert all(head.all("button", type="button") for head in heads)


def test_intervals_and_deviations_stand_below_their_value(tmp_path, add_run):
    for seed, value in enumerate((50.0, 60.0)):
        recipe = {"what": {"seed": seed, "attention": {"name": "rfga"}}, "how": {}}
        add_run(tmp_path, f"seed{seed}", 60, recipe=recipe, metrics={"max_box_acc@0.5": value})
    figure = {"value": 12.34, "low": 10.0, "high": 15.06}
    add_run(tmp_path, "alone", 60, metrics={"max_box_acc@0.5": figure})
    (section,) = read_board(tmp_path).sections
    several, one = (row.cells[3] for row in metrics_table(section, style_rows(section.rows, 0)).rows)
    # The sample deviation of 50 and 60 is the root of 50.
    assert (several.text, several.below) == ("55.0", ("± 7.1",))
    assert (one.text, one.below) == ("12.3", ("10.0\N{EN DASH}15.1",))


def test_gt_known_is_left_out_only_beside_its_twin(tmp_path, add_run):
    add_run(tmp_path, "a", 60, metrics={"max_box_acc@0.5": 50.0, "gt_known_loc@0.5": 50.0})
    (section,) = read_board(tmp_path).sections
    heads = [head.text for head in metrics_table(section, style_rows(section.rows, 0)).heads]
    assert "MaxBoxAcc .5" in heads and "GT-known .5" not in heads

    add_run(tmp_path, "a", 60, metrics={"gt_known_loc@0.5": 50.0})
    (section,) = read_board(tmp_path).sections
    heads = [head.text for head in metrics_table(section, style_rows(section.rows, 0)).heads]
    assert "GT-known .5" in heads


def test_classes_have_a_table_where_they_were_measured(results, add_run):
    (section,) = read_board(results).sections
    assert class_table(section, style_rows(section.rows, 0)) is None
    add_run(results, "by-class", 60, "tdam", metrics={"rubinstein_j:Horse": 31.25, "pxap": 40.0})
    (section,) = read_board(results).sections
    table = class_table(section, style_rows(section.rows, 0))
    assert table is not None
    assert [head.text for head in table.heads] == ["Row", "Maps", "J Horse"]
    texts = {row.name: row.cells[1].text for row in table.rows}
    assert texts == {"rfga": "", "CAM": "", "Centred box": "", "tdam": "31.2"}


def test_details_say_cost_and_provenance(tmp_path, add_run):
    record = add_run(
        tmp_path,
        "a",
        60,
        cost={"params": 25_000_000, "gflops": 4.125, "map_size": [14, 7]},
        counts={"constant": 3, "not_finite": 0},
        git_commit="0123456789abcdef",
    )
    (section,) = read_board(tmp_path).sections
    table = details_table(style_rows(section.rows, 0))
    shown = dict(zip([head.text for head in table.heads][1:], table.rows[0].cells, strict=True))
    assert (shown["Parameters"].text, shown["Parameters"].sort_key) == ("25,000,000", "25000000.0")
    assert shown["GFLOPs"].text == "4.125"
    assert shown["Map"].text == "14x7"
    assert shown["Odd maps"].text == "constant 3"
    assert shown["Commit"].text == "012345678"
    assert shown["Run"].text == record.run_id
    assert shown["Images/s"].text == ""


def test_a_row_unlike_the_others_is_marked_and_the_page_says_in_what(results, parse, add_run):
    for name, epochs in (("rfga", 50), ("cam", 50), ("tdam", 20)):
        attention = "none" if name == "cam" else name
        recipe = Recipe.from_dict({"attention": {"name": attention}, "training": {"epochs": epochs}})
        content = {"what": recipe.what(), "how": recipe.how_part()}
        add_run(results, name, 60, attention, recipe=content)
    page = parse(write_report(results).read_text(encoding="utf-8"))
    marks = {sup.text for sup in page.all("table")[0].all("sup")}
    assert marks == {"a"}
    (row,) = [head for head in page.all("table")[0].all("th", scope="row") if head.all("sup")]
    # Sorting by name does not see the mark.
    assert (row.text, row.attributes["data-value"]) == ("tdamaresnet50", "tdam")
    (notes,) = page.all("ul", **{"class": "footnotes"})
    assert notes.all("li")[-1].text == "Rows marked a: 20 epochs where the others have 50."


def test_every_seed_has_a_line_and_single_ones_have_none(tmp_path, add_run):
    add_run(tmp_path, "alone", 60, "tdam")
    (section,) = read_board(tmp_path).sections
    assert seeds_table(section, style_rows(section.rows, 0)) is None
    for seed, value in ((7, 50.0), (123456789012, 60.04)):
        recipe = {"what": {"seed": seed, "attention": {"name": "rfga"}}, "how": {}}
        add_run(tmp_path, f"seed{seed}", 60, recipe=recipe, metrics={"max_box_acc@0.5": value})
    (section,) = read_board(tmp_path).sections
    table = seeds_table(section, style_rows(section.rows, 0))
    assert table is not None
    heads = [head.text for head in table.heads]
    place = heads.index("MaxBoxAcc .5") - 1
    assert [(row.name, row.cells[1].text, row.cells[place].text) for row in table.rows] == [
        ("rfga", "7", "50.0"),
        ("rfga", "123456789012", "60.0"),
    ]


def test_a_variant_is_part_of_the_name(tmp_path, add_run, parse):
    for lr in (0.01, 0.5):
        recipe = Recipe.from_dict({"training": {"lr": lr}})
        add_run(tmp_path, f"run{lr}", 60, recipe={"what": recipe.what(), "how": recipe.how_part()})
    page = parse(write_report(tmp_path).read_text(encoding="utf-8"))
    heads = page.all("table")[0].all("th", scope="row")
    assert sorted(head.attributes["data-value"] for head in heads) == ["CAM, lr 0.01", "CAM, lr 0.5"]
    # A number is not broken at its point.
    assert not any(head.all("wbr") for head in heads)


def test_where_lower_is_better_the_best_is_the_lowest(results):
    section = read_board(results).sections[0]
    (first, second) = (row for row in section.rows if not row.is_baseline)
    values = [row.estimates["max_box_acc@0.5"].value for row in (first, second)]
    assert best_of(section, "max_box_acc@0.5") == max(values)
    said = section.specifications["max_box_acc@0.5"]
    section.specifications["max_box_acc@0.5"] = dataclasses.replace(said, lower_is_better=True)
    assert best_of(section, "max_box_acc@0.5") == min(values)
