"""Forged records, whose digest and run id were made anew: only the checks of the content find them."""

from __future__ import annotations

from typing import Any

import pytest

from wsol.cli.main import main

FIGURE = "metrics max_box_acc@0.5"
# Place, value, what the line says; a value of ... means that the place is taken away.
FORGED: list[tuple[str, Any, str]] = [
    ("n_images", "many", "n_images is 'many', not a whole number, 0 or more"),
    ("n_images", -1, "n_images is -1"),
    ("n_images", 250.5, "n_images is 250.5"),
    ("n_images", True, "n_images is True"),
    ("n_images", None, "n_images is null"),
    ("n_images", 6000, "n_images is 6000, more than the 5794 expected"),
    ("n_expected", [], "n_expected is []"),
    (f"{FIGURE} value", "58", "metrics.max_box_acc@0.5.value is '58', not a number"),
    (f"{FIGURE} value", 580, "not percent from 0 to 100"),
    (f"{FIGURE} value", 10**17, "not percent from 0 to 100"),
    (f"{FIGURE} value", True, "value is True"),
    (f"{FIGURE} value", 99.9, "lies outside its interval [52, 64]"),
    (f"{FIGURE} value", None, "an interval and no value"),
    (f"{FIGURE} low", -3, "not percent from 0 to 100"),
    (f"{FIGURE} low", None, "one bound of an interval without the other"),
    (f"{FIGURE} low", 59, "lies outside its interval [59, 64]"),
    (f"{FIGURE} high", 101, "not percent from 0 to 100"),
    (f"{FIGURE} high", ..., "metrics.max_box_acc@0.5.high is missing"),
    (f"{FIGURE} median", 58, "nobody knows"),
    (FIGURE, 58, "metrics.max_box_acc@0.5 is 58, not an object"),
    (FIGURE, None, "is null, not an object"),
    ("metrics", [], "metrics is [], not an object"),
    ("metrics", ..., "metrics is missing"),
    ("maps", "", "maps is '', not text, not empty"),
    ("maps", 3, "maps is 3"),
    ("threshold policy", "best", "unknown threshold policy 'best'"),
    ("threshold policy", "fixed:2", "fixed threshold 2.0 is not in [0, 1)"),
    ("threshold policy", 0.2, "threshold.policy is 0.2, not text"),
    ("threshold values max_box_acc@0.5", 1, "not a number from 0 to below 1"),
    ("threshold values max_box_acc@0.5", -0.1, "not a number from 0 to below 1"),
    ("threshold values max_box_acc@0.5", "0.5", "threshold.values.max_box_acc@0.5 is '0.5'"),
    ("threshold values", [0.5], "threshold.values is [0.5], not an object"),
    ("optimism max_box_acc@0.5", "high", "optimism.max_box_acc@0.5 is 'high'"),
    ("protocol name", ..., "protocol.name is missing"),
    ("protocol version", "1", "protocol.version is '1'"),
    ("protocol step", 0, "protocol.step is 0"),
    ("protocol step", "fine", "protocol.step is 'fine'"),
    ("protocol iou_percents", [30, "50"], "protocol.iou_percents[1] is '50'"),
    ("protocol policy", "worst", "unknown threshold policy 'worst'"),
    ("protocol", "choe2020", "protocol is 'choe2020', not an object"),
    ("dataset name", 7, "dataset.name is 7"),
    ("dataset split", None, "dataset.split is null"),
    ("dataset manifest_hash", ..., "dataset.manifest_hash is missing"),
    ("dataset title", ["Birds"], "dataset.title is ['Birds'], not text"),
    ("recipe what", None, "recipe.what is null"),
    ("recipe how", ..., "recipe.how is missing"),
    ("recipe what seed", "zero", "recipe.what.seed is 'zero'"),
    ("recipe what attention", ["rfga"], "recipe.what.attention is ['rfga'], not an object"),
    ("recipe what attention options", [1], "recipe.what.attention.options is [1]"),
    ("recipe what attention at", 5, "recipe.what.attention.at is 5, not a list"),
    ("recipe what data input_size", "large", "recipe.what.data.input_size is 'large'"),
    ("recipe what training epochs", "many", "recipe.what.training.epochs is 'many'"),
    ("recipe what training lr", [0.1], "recipe.what.training.lr is [0.1], not a number"),
    ("recipe what training milestones", 15, "recipe.what.training.milestones is 15, not a list"),
    ("recipe how tuning_trials", "a few", "recipe.how.tuning_trials is 'a few'"),
    ("recipe how source", "mine", "recipe.how.source is 'mine', not an object"),
    ("arrays file", "../../secret.npz", "without folders"),
    ("arrays file", "/tmp/secret.npz", "without folders"),
    ("arrays file", "sub\\secret.npz", "without folders"),
    ("arrays file", ".npz", "without folders"),
    ("arrays file", "passwords", "the name of an .npz file"),
    ("arrays sha256", "abc", "a SHA-256 of 64 hex digits"),
    ("arrays sha256", "0" * 64, "not the arrays"),
    ("arrays sha256", ..., "arrays has one of file and sha256 without the other"),
    ("counts nan_maps", -2, "counts.nan_maps is -2"),
    ("counts nan_maps", 1.5, "counts.nan_maps is 1.5"),
    ("cost params", "25M", "cost.params is '25M'"),
    ("cost gflops", -1, "cost.gflops is -1"),
    ("cost map_size", 14, "cost.map_size is 14, not a list"),
    ("seeds training", None, "seeds.training is null"),
    ("versions torch", 2, "versions.torch is 2, not text"),
    ("git_commit", 1, "git_commit is 1"),
    ("started", "yesterday", "started is 'yesterday', not a date and time"),
    ("finished", 20261121, "finished is 20261121, not a date and time"),
    ("metrics_version", 0, "metrics_version is 0"),
    ("specifications max_box_acc@0.5 rank", "first", "rank is 'first'"),
    ("specifications max_box_acc@0.5 colour", "red", "nobody knows"),
    ("colour", "red", "colour is a key that nobody knows"),
    ("schema_version", 99, "schema_version is 99, not one that this wsol reads: 1, 2, 3"),
    ("schema_version", "3", "schema_version is '3'"),
    ("schema_version", ..., "schema_version is missing"),
]


@pytest.mark.parametrize(("place", "value", "words"), FORGED, ids=lambda value: str(value)[:40])
def test_forged_content_is_named(bank, forge, is_named_and_left_aside, place, value, words):
    forge(place, value)
    is_named_and_left_aside(words, "victim.npz" if words == "not the arrays" else "")


def test_the_editor_of_these_tests_leaves_a_record_that_it_does_not_change_sound(bank, forge):
    forge("n_images", 250)
    assert main(["leaderboard", "--results", str(bank.parent.parent)]) == 0
