"""A run computes with the threads that it says, whatever the process and its environment are set to."""

from __future__ import annotations

import json

import pytest
import torch

import wsol
from wsol.board import read_records
from wsol.errors import UserError
from wsol.pipeline.benchmark import benchmark
from wsol.pipeline.evaluate_run import evaluate_run
from wsol.pipeline.outputs.publish import Outputs
from wsol.pipeline.train import train
from wsol.training.device import threads


@pytest.fixture(params=[1])
def outside(request):
    """How many threads the process is set to; restored."""
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


@pytest.mark.parametrize("outside", [1, 3], indirect=True)
def test_within_and_afterwards(outside):
    with threads(2):
        assert torch.get_num_threads() == 2
        with threads(None):
            assert torch.get_num_threads() == 2
    assert torch.get_num_threads() == outside
    with pytest.raises(ZeroDivisionError), threads(2):
        1 / 0  # noqa: B018
    assert torch.get_num_threads() == outside


@pytest.fixture
def seen(monkeypatch):
    """The number of threads at each forward pass of the network."""
    from wsol.models.localizer import Localizer

    counts = []
    forward = Localizer.forward

    def counting(self, images):
        counts.append(torch.get_num_threads())
        return forward(self, images)

    monkeypatch.setattr(Localizer, "forward", counting)
    return counts


@pytest.mark.parametrize(("outside", "asked"), [(3, 1), (1, 2)], indirect=["outside"])
def test_training_and_scoring_take_the_threads_of_the_recipe(tiny_recipe, outside, seen, asked):
    recipe = tiny_recipe.changed(
        how={"threads": asked}, training={"epochs": 1}, evaluation={"maps": ["cam"]}
    )
    benchmark([recipe])
    assert set(seen) == {asked} and torch.get_num_threads() == outside
    records = {record.maps: record for record in read_records(f"{recipe.how.results}/runs")}
    how = records["cam"].recipe["how"]
    assert how["threads"] == how["training"]["threads"] == asked
    assert records["cam"].cost["device"] == how["training"]["device"] == f"CPU, {asked} threads"
    # It is no part of what was run: the run's folder is the same.
    other = tiny_recipe.changed(training={"epochs": 1}, evaluation={"maps": ["cam"]})
    assert other.what() == recipe.what()


def test_a_run_is_scored_with_the_threads_it_was_trained_with(tiny_recipe, outside, seen, tmp_path):
    run = train(tiny_recipe.changed(how={"threads": 2}, training={"epochs": 1}))
    assert json.loads((run / "run.json").read_text())["threads"] == 2
    seen.clear()
    evaluate_run(run, outputs=Outputs(output=tmp_path / "out"))
    assert set(seen) == {2}
    # A library leaves its user's process as it is, unless it is told a number.
    for given, expected in ((None, outside), (1, 1)):
        model = wsol.load(run, threads=given)
        seen.clear()
        evaluate_run(model, outputs=Outputs(output=tmp_path / f"out{given}"))
        assert set(seen) == {expected} and torch.get_num_threads() == outside
        record = next(iter((tmp_path / f"out{given}").rglob("metrics.json")))
        assert json.loads(record.read_text())["recipe"]["how"]["threads"] == expected


def test_no_threads_are_refused(tiny_recipe):
    with pytest.raises(UserError, match=r"how\.threads"):
        tiny_recipe.changed(how={"threads": 0})
    with pytest.raises(UserError, match="threads"):
        wsol.load("timm:resnet18", threads=0)
