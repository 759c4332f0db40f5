"""Where a record is its gallery is: lost pictures are drawn again, and nothing is trained for them."""

import shutil

import pytest

from wsol.board import read_records
from wsol.pipeline.benchmark import benchmark
from wsol.pipeline.outputs import publish


@pytest.mark.parametrize("recipe", ["tiny_recipe", "cross_fit"])
def test_a_record_without_its_gallery_is_not_finished(recipe, request, files_of, tmp_path, capsys):
    recipe = request.getfixturevalue(recipe).changed(training={"epochs": 1})
    results = tmp_path / "results"
    benchmark([recipe], seeds=[0], overlays=3)
    pictures, records = files_of(results / "report"), files_of(results / "runs")
    assert len(pictures) == 7 * len([path for path in records if path.endswith(".json")])
    shutil.rmtree(results / "report")
    capsys.readouterr()
    benchmark([recipe], seeds=[0], overlays=3)
    assert " -> " not in capsys.readouterr().err
    assert files_of(results / "runs") == records
    assert files_of(results / "report") == pictures
    for lost in (".jpg", "index.json"):
        next(path for path in (results / "report").rglob(f"*{lost}")).unlink()
        benchmark([recipe], seeds=[0], overlays=3)
        assert files_of(results / "report") == pictures
    assert files_of(results / "runs") == records


def test_pictures_of_a_run_that_is_gone_are_not_trained_for(tiny_recipe, files_of, tmp_path):
    recipe = tiny_recipe.changed(training={"epochs": 1})
    benchmark([recipe], seeds=[0])
    shutil.rmtree(tmp_path / "runs")
    records = files_of(tmp_path / "results" / "runs")
    benchmark([recipe], seeds=[0], overlays=3)
    assert not (tmp_path / "runs").exists()
    assert files_of(tmp_path / "results" / "runs") == records


def test_where_a_record_is_its_gallery_is(tiny_recipe, tmp_path, monkeypatch):
    """Interrupted between the two, pictures and record are both made by the next call."""
    recipe = tiny_recipe.changed(training={"epochs": 1})
    write = publish._write

    def interrupted(record, scored, folder, stem):
        if record.maps == "features":
            raise KeyboardInterrupt
        write(record, scored, folder, stem)

    monkeypatch.setattr(publish, "_write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        benchmark([recipe], seeds=[0], overlays=3)
    results = tmp_path / "results"
    for record in read_records(results / "runs"):
        assert (results / "report" / record.run_id / "index.json").is_file()
    monkeypatch.undo()
    benchmark([recipe], seeds=[0], overlays=3)
    indices = {path.parent.name for path in results.rglob("index.json")}
    assert indices == {record.run_id for record in read_records(results / "runs")}
    assert len(list((results / "runs").rglob("small_resnet*.json"))) == 2
