from __future__ import annotations

import numpy as np

from wsol.cli.main import main
from wsol.report import Tile, save_gallery, write_report

ATTACK = "<script>alert(1)</script>"


def read(results):
    return write_report(results).read_text(encoding="utf-8")


def test_the_page_is_whole_and_needs_no_other_host(results, parse):
    text = read(results)
    page = parse(text)
    assert "http:" not in text and "https:" not in text and "url(" not in text
    assert not page.all("link") and not page.all("iframe")
    assert not any("src" in script.attributes for script in page.all("script"))
    sources = [image.attributes["src"] for image in page.all("img")]
    # Two images, once plain and once for each of the three rows.
    assert len(sources) == 8
    assert all(source.startswith("data:image/jpeg;base64,") for source in sources)


def test_style_and_script_stand_inside(results, parse):
    page = parse(read(results))
    assert "prefers-color-scheme: dark" in page.all("style")[0].text
    assert "addEventListener" in page.all("script")[0].text


def test_links_lead_to_sections(results, parse):
    (results / "published.csv").write_text("system,value\nTS-CAM,71.3\n")
    page = parse(read(results))
    links = [link.attributes["href"] for link in page.all("a")]
    assert links == [f"#{section.attributes['id']}" for section in page.all("section")]
    assert page.all("a")[0].text == "Signs & <wonders>: test, choe2020, oracle"


def test_what_a_user_names_cannot_become_html(results, parse, add_run):
    record = add_run(
        results,
        "evil",
        55,
        f"{ATTACK}:'\" onload='x",
        metrics={"max_box_acc@0.5": 50.0, f"rubinstein_j:{ATTACK}": 30.0},
        dataset={
            "name": "signs",
            "title": f'"{ATTACK}',
            "manifest_hash": "1",
            "split": "test",
        },
    )
    image = np.zeros((8, 8, 3), np.uint8)
    tiles = [Tile(f'"{ATTACK}', image, None, None, np.zeros((0, 4)), 0.5, f"' {ATTACK}")]
    save_gallery(results / "report", record.run_id, tiles)
    for other in results.glob("report/*/index.json"):
        if other.parent.name != record.run_id:
            other.unlink()
    (results / "published.csv").write_text(f"{ATTACK},value\n{ATTACK},1\n")

    text = read(results)
    page = parse(text)
    assert ATTACK not in text
    assert len(page.all("script")) == 1
    known = {"src", "alt", "title"}
    assert all(set(image.attributes) <= known for image in page.all("img"))
    assert not any(
        "onload" in each.attributes for tag in ("tr", "td", "img", "g") for each in page.all(tag)
    )
    # It reads as it was named: module, class, image, title and the table of papers.
    assert [row for row in page.all("th", scope="row") if f"{ATTACK}:'\" onload='x" in row.text]
    assert [head for head in page.all("th", scope="col") if head.text == f"J {ATTACK}"]
    assert page.all("img")[0].attributes["title"] == f"\"{ATTACK} ' {ATTACK}"
    assert page.all("section", id="published")[0].all("td")[0].text == ATTACK


def test_it_says_what_the_images_cannot_tell_from_the_centred_box(results, parse):
    section = parse(read(results)).all("section")[0]
    facts = section.all("ul", **{"class": "facts"})[0].text
    assert "1 better, 0 worse, 1 not distinguishable with these 40 images" in facts


def test_without_arrays_and_overlays_the_table_remains(results, parse):
    for path in [*results.rglob("*.npz"), *results.rglob("index.json")]:
        path.unlink()
    page = parse(read(results))
    assert [each.text for each in page.all("p", **{"class": "none"})] == [
        "No curves: no per-image arrays lie beside these records."
    ]
    assert not page.all("img") and not page.all("svg")
    assert "rfga" in page.all("table")[0].text


def test_published_numbers_stand_apart(results, parse):
    assert "Published" not in read(results)
    (results / "published.csv").write_text("system,value,source\nTS-<CAM>,71.3,their README\n")
    last = parse(read(results)).all("section")[-1]
    assert last.attributes["id"] == "published"
    assert last.all("summary")[0].text == "1 numbers with their sources"
    assert [cell.text for cell in last.all("td")] == ["TS-<CAM>", "71.3", "their README"]


def test_the_command_writes_the_same_page_again(results, tmp_path, capsys):
    output = tmp_path / "elsewhere" / "page.html"
    assert main(["report", "--results", str(results), "--output", str(output)]) == 0
    assert capsys.readouterr().out.strip() == str(output)
    first = output.read_bytes()
    assert main(["report", "--results", str(results)]) == 0
    assert (results / "report.html").read_bytes() == first


def test_no_records_is_one_line(tmp_path, capsys):
    assert main(["report", "--results", str(tmp_path)]) == 2
    assert "no run records" in capsys.readouterr().err
