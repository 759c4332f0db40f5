"""``wsol evaluate``: score a run, a recipe's run, a folder of score maps, or one's own images."""

from __future__ import annotations

import dataclasses
from argparse import Namespace

from wsol.cli.classes import classes_of
from wsol.cli.evaluate_options import KEY_OF, names_a_recipe, option_of, parsed
from wsol.cli.model_arguments import open_model
from wsol.cli.parser import at_least
from wsol.cli.recipe_arguments import CommandOption, parse_recipe
from wsol.errors import UserError
from wsol.evaluation.evaluator import Evaluation
from wsol.maps import listed
from wsol.pipeline.outputs.publish import Outputs
from wsol.progress import say
from wsol.recipe import EvaluationSettings as Settings
from wsol.scores.resampling.interval import few_images

# The settings that have an option of the same name.
ASKED = ("split", "protocol", "thresholds", "step", "faithfulness")

# `wsol.cli.main` asks for it.
__all__ = ["main", "option_of"]


def main(argv: list[str]) -> int:
    """Score and print; see the subject's own help for what is written."""
    if names_a_recipe(argv):
        return _of_recipe(argv)
    subject, arguments = parsed(argv)
    if subject == "images":
        return _of_images(arguments)
    return _of_maps(arguments) if subject == "maps" else _of_model(arguments)


def _of_model(arguments: Namespace) -> int:
    """A run, or a pretrained classifier on a manifest."""
    from wsol.pipeline.evaluate_run import evaluate_run

    if arguments.run is None:
        _check_overlays(arguments)
    model = open_model(arguments)
    settings = _settings(arguments, model.recipe.evaluation)
    if arguments.maps is not None:
        settings = dataclasses.replace(settings, maps=listed(arguments.maps))
    output = arguments.output
    if model.folder is not None:
        output = output or str(model.folder.path / "evaluation")
    outputs = Outputs(arguments.results, output, arguments.overlays or 0)
    return _done(evaluate_run(model, settings, manifest=arguments.manifest, outputs=outputs), output)


def _of_recipe(argv: list[str]) -> int:
    """``--config RECIPE [--any.key value]``: the run that training this recipe has made."""
    options = (
        CommandOption(
            "output", "folder for metrics.json, per_image.csv, overlays; default: RUN/evaluation"
        ),
        CommandOption("overlays", "pictures to draw (default: 0)", default=0, read=at_least(0)),
        CommandOption("results", "also append the record to RESULTS/runs, for the board"),
    )
    recipe, own = parse_recipe(argv, "evaluate", options, KEY_OF)
    from wsol.pipeline.evaluate_run import evaluate_run
    from wsol.pipeline.inputs import resolved, run_folder
    from wsol.pipeline.model import Model

    path = run_folder(recipe)
    if not path.is_dir():
        raise UserError(
            f"{path}: this recipe is not trained yet: wsol train, with the same --config and keys of "
            "data, backbone, attention, method and training"
        )
    output = own["output"] or str(path / "evaluation")
    outputs = Outputs(own["results"], output, own["overlays"])
    model = Model.open(path, recipe=resolved(recipe))
    return _done(evaluate_run(model, recipe.evaluation, outputs=outputs), output)


def _of_maps(arguments: Namespace) -> int:
    from wsol.pipeline.evaluate_maps import evaluate_maps

    _check_overlays(arguments)
    evaluation = evaluate_maps(
        arguments.maps,
        arguments.manifest,
        _settings(arguments, Settings()),
        name=arguments.name or "",
        predictions=arguments.predictions,
        outputs=Outputs(arguments.results, arguments.output, arguments.overlays or 0),
    )
    return _done({arguments.name or arguments.maps: evaluation}, arguments.output)


def _of_images(arguments: Namespace) -> int:
    from wsol.data.annotations.conventions import Conventions
    from wsol.pipeline.own_images.evaluate_images import evaluate_images

    maps = [] if arguments.maps is None else listed(arguments.maps)
    settings = _settings(arguments, Settings(protocol="halfopen", maps=maps))
    output = arguments.output or "output"
    overlays = 12 if arguments.overlays is None else arguments.overlays
    evaluations = evaluate_images(
        arguments.images,
        arguments.annotations,
        open_model(arguments),
        settings,
        conventions=Conventions(
            arguments.corners, tuple(arguments.mask_values or ()), bool(arguments.stored_pixels)
        ),
        outputs=Outputs(arguments.results, output, overlays, masks=True),
    )
    return _done(evaluations, output)


def _check_overlays(arguments: Namespace) -> None:
    if arguments.overlays and not (arguments.output or arguments.results):
        raise UserError(f"--overlays {arguments.overlays}: say where to, with --output or --results")


def _settings(arguments: Namespace, defaults: Settings) -> Settings:
    asked = {key: getattr(arguments, key) for key in ASKED}
    given = {key: value for key, value in asked.items() if value is not None}
    if arguments.classes is not None:
        given["classes"] = classes_of(arguments.classes)
    return dataclasses.replace(defaults, **given)


def _done(evaluations: dict[str, Evaluation], output: str | None) -> int:
    for source, evaluation in evaluations.items():
        _show(evaluation, source)
    for images in {evaluation.n_draws for evaluation in evaluations.values()}:
        if note := few_images(images):
            say(note)
    if output:
        print(f"written to {output}")
    return 0


def _show(evaluation: Evaluation, source: str) -> None:
    """The metrics as a table on the terminal: value, 95 % interval, optimism."""
    from rich.console import Console
    from rich.table import Table

    policy = evaluation.threshold["policy"]
    images = f"{evaluation.n_draws:,} image{'s' * (evaluation.n_draws != 1)}"
    if evaluation.per_image.groups is not None:
        images = f"{evaluation.n_images:,} queries of {images}"
    table = Table(title=f"{source}: {images}, thresholds {policy}")
    for column in ("metric", "%", "95 % interval", "optimism"):
        table.add_column(column, justify="left" if column == "metric" else "right")
    for key, entry in evaluation.metrics.items():
        if entry["value"] is None:
            continue
        interval = "" if entry["low"] is None else f"{entry['low']:.2f} to {entry['high']:.2f}"
        flattery = evaluation.optimism.get(key)
        optimism = "" if flattery is None else f"{flattery:.2f}"
        said = evaluation.specifications.get(key)
        name = key if said is None or said.unit == "percent" else f"{key} ({said.unit})"
        table.add_row(name, f"{entry['value']:.2f}", interval, optimism)
    Console().print(table)
    for what, count in (evaluation.counts or {}).items():
        print(f"{what}: {count}")
