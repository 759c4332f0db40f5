"""The disk a grid is said to need, against the files that a run writes."""

import shutil
from collections import namedtuple

import pytest

from wsol.errors import UserError
from wsol.pipeline import benchmark as verb
from wsol.pipeline.benchmark import Grid, benchmark
from wsol.pipeline.grid.disk import disk_needs, megabytes, run_size
from wsol.pipeline.train import train
from wsol.training.run_folder import RunFolder

Usage = namedtuple("Usage", "total used free")


@pytest.mark.parametrize(
    ("training", "method"),
    [
        ({"optimizer": "adamw"}, {}),
        ({"optimizer": "sgd"}, {}),
        ({"optimizer": "sgd", "momentum": 0.0}, {}),
        ({"selection": "val_cls"}, {}),
        # Its state holds its own progress, which is no tensor.
        ({}, {"name": "dasnet", "options": {"generations": 1}}),
    ],
    ids=str,
)
def test_a_run_is_as_large_as_it_was_said_to_be(training, method, tiny_recipe, monkeypatch):
    recipe = tiny_recipe.changed(training={"epochs": 1, **training}, method=method)
    sizes = []
    save = RunFolder.save_progress

    def measured(self, progress):
        save(self, progress)
        sizes.append((self.path / "resume.pth").stat().st_size)

    monkeypatch.setattr(RunFolder, "save_progress", measured)
    run = train(recipe)
    weights = sum(path.stat().st_size for path in run.glob("*.safetensors"))
    said = run_size(recipe, [str(number) for number in range(10)])
    # Names and headers come on top of the numbers.
    assert said.weights == pytest.approx(weights, rel=0.03)
    assert said.progress == pytest.approx(sizes[-1], rel=0.08)


def test_what_is_there_is_not_needed_again(tiny_recipe):
    grid = Grid([tiny_recipe], seeds=[0, 1])
    (both,) = disk_needs(grid.rows, 0, 1)
    train(grid.rows[0].recipe)
    (other,) = disk_needs(grid.rows, 0, 1)
    size = run_size(tiny_recipe, grid.rows[0].manifest.class_keys)
    assert both.needed - other.needed == size.weights
    benchmark([tiny_recipe], seeds=[0, 1])
    assert all(row.recorded for row in grid.rows)


def test_a_grid_without_room_is_refused_before_it_begins(tiny_recipe, tmp_path, monkeypatch, capsys):
    grid = Grid([tiny_recipe], seeds=range(5))
    ((_, needed, _),) = disk_needs(grid.rows, 8, 1)
    for free in (needed, needed - 1):
        monkeypatch.setattr(shutil, "disk_usage", lambda _, free=free: Usage(free, 0, free))
        monkeypatch.setattr(verb, "evaluate_baselines", _begun)
        with pytest.raises((UserError, Begun)) as ended:
            benchmark([tiny_recipe], seeds=range(5), overlays=8)
        assert ended.type is (Begun if free == needed else UserError)
    assert f"the grid needs about {megabytes(needed)} there" in str(ended.value)
    assert "free: hardly enough" in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()


class Begun(BaseException):
    """Not an error of a row: the grid has begun."""


def _begun(*_, **__):
    raise Begun
