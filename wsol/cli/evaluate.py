"""``wsol evaluate``: score a run, a recipe's run, a folder of score maps, or one's own images."""

from __future__ import annotations

import dataclasses
import tempfile
from argparse import Namespace
from pathlib import Path

from wsol.cli.parser import Parser, at_least
from wsol.cli.recipe_arguments import parse_recipe
from wsol.data.corners import RULES
from wsol.errors import UserError
from wsol.evaluation.evaluator import Evaluation
from wsol.recipe import Evaluation as Settings
from wsol.recipe import How


def main(argv: list[str]) -> int:
    """Score and print; see the subject's own help for what is written."""
    if any(argument.split("=")[0] == "--config" for argument in argv):
        return _of_recipe(argv)
    arguments = _parser().parse(argv)
    if arguments.images:
        return _of_images(arguments)
    if arguments.run:
        return _of_run(arguments)
    if arguments.maps and arguments.manifest:
        return _of_maps(arguments)
    raise UserError(
        "evaluate what? --run RUN, --config RECIPE, --maps DIR --manifest DIR, or "
        "--images DIR --annotations PATH --run RUN"
    )


def _parser() -> Parser:
    parser = Parser("evaluate", "Score a run, a folder of score maps (no model), or your own images.")
    subject = parser.add_argument_group("what is scored")
    subject.add_argument("--run", help="folder of a trained run")
    subject.add_argument("--maps", help="with --run: sources by commas; else a folder of IMAGE_ID.npy")
    subject.add_argument("--manifest", help="folder of a manifest; with --run: another data set")
    subject.add_argument("--predictions", help="class predictions beside --maps: image_id,top1,...,top5")
    subject.add_argument("--images", help="folder of your own images, scored with --run")
    subject.add_argument("--annotations", nargs="+", help="of --images: COCO, VOC, CSV, masks")
    subject.add_argument(
        "--corners", choices=list(RULES), help="of --annotations; default: as their format does"
    )
    subject.add_argument("--name", default="", help="what the board calls --maps")
    rules = parser.add_argument_group("how")
    rules.add_argument("--split", default=None, help="default: test")
    rules.add_argument("--protocol", default=None, help="default: choe2020; of --images: halfopen")
    rules.add_argument(
        "--thresholds", default=None, help="oracle, val, fixed:T; default: the protocol's"
    )
    rules.add_argument("--step", type=float, default=None, help="of the threshold grid; default: 0.001")
    rules.add_argument("--device", default="auto", help="auto, cpu or cuda")
    rules.add_argument(
        "--workers", type=at_least(0), default=How().workers, help="processes that load images"
    )
    _add_outputs(parser)
    return parser


def _add_outputs(parser: Parser) -> None:
    output = parser.add_argument_group("what is written")
    output.add_argument("--output", help="folder for metrics.json, per_image.csv and overlays")
    output.add_argument("--overlays", type=at_least(0), default=0, help="pictures to draw")
    output.add_argument("--results", help="also append the record to RESULTS/runs, for the board")


def _of_run(arguments: Namespace) -> int:
    from wsol.benchmark.scoring import score_run
    from wsol.training.run_folder import RunFolder

    recipe = RunFolder(arguments.run).recipe()
    settings = _settings(arguments, recipe.evaluation)
    if arguments.maps:
        settings = dataclasses.replace(settings, maps=arguments.maps.split(","))
    output = arguments.output or str(Path(arguments.run) / "evaluation")
    how = dataclasses.replace(recipe.how, device=arguments.device, workers=arguments.workers)
    evaluations = score_run(
        arguments.run,
        settings,
        how,
        manifest=arguments.manifest,
        results=arguments.results,
        output=output,
        overlays=arguments.overlays,
    )
    for source, evaluation in evaluations.items():
        _show(evaluation, source)
    print(f"written to {output}")
    return 0


def _of_recipe(argv: list[str]) -> int:
    """``--config RECIPE [--any.key value]``: the run that training this recipe has made."""

    def add(parser) -> list[str]:
        parser.add_argument("--output", default=None)
        parser.add_argument("--overlays", type=int, default=0)
        parser.add_argument("--results", default=None)
        return ["output", "overlays", "results"]

    recipe, own = parse_recipe(argv, "evaluate", add)
    from wsol.benchmark.preparing import run_folder
    from wsol.benchmark.scoring import score_run

    path = run_folder(recipe)
    output = own["output"] or str(path / "evaluation")
    evaluations = score_run(
        path,
        recipe.evaluation,
        recipe.how,
        results=own["results"],
        output=output,
        overlays=own["overlays"],
    )
    for source, evaluation in evaluations.items():
        _show(evaluation, source)
    print(f"written to {output}")
    return 0


def _of_maps(arguments: Namespace) -> int:
    from wsol.benchmark.files import score_maps
    from wsol.data.manifest import Manifest

    evaluation = score_maps(
        arguments.maps,
        Manifest.read(arguments.manifest),
        _settings(arguments, Settings()),
        name=arguments.name,
        predictions=arguments.predictions,
        results=arguments.results,
        output=arguments.output,
        overlays=arguments.overlays,
    )
    _show(evaluation, arguments.maps)
    return 0


def _of_images(arguments: Namespace) -> int:
    if not arguments.run or not arguments.annotations:
        raise UserError("--images needs --run RUN and --annotations PATH (none: wsol localize)")
    from wsol.data.custom import custom_manifest
    from wsol.maps.readers import PREDICTED
    from wsol.training.run_folder import RunFolder

    with tempfile.TemporaryDirectory() as folder:
        arguments.manifest = str(Path(folder) / "manifest")
        manifest = custom_manifest(
            arguments.images, arguments.annotations, arguments.manifest, corners=arguments.corners
        )
        known = RunFolder(arguments.run).facts()["class_keys"]
        if not arguments.maps and not set(manifest.class_keys) <= set(known):
            print("classes the run does not know: scoring the map of the predicted class")
            arguments.maps = PREDICTED
        arguments.protocol = arguments.protocol or "halfopen"
        arguments.output = arguments.output or "output"
        arguments.overlays = arguments.overlays or 12
        return _of_run(arguments)


def _settings(arguments: Namespace, defaults: Settings) -> Settings:
    asked = {key: getattr(arguments, key) for key in ("split", "protocol", "thresholds", "step")}
    given = {key: value for key, value in asked.items() if value is not None}
    return dataclasses.replace(defaults, **given)


def _show(evaluation: Evaluation, source: str) -> None:
    """The metrics as a table on the terminal: value, 95 % interval, optimism."""
    from rich.console import Console
    from rich.table import Table

    policy = evaluation.threshold["policy"]
    table = Table(title=f"{source}: {evaluation.n_images} images, thresholds {policy}")
    for column in ("metric", "%", "95 % interval", "optimism"):
        table.add_column(column, justify="left" if column == "metric" else "right")
    for key, entry in evaluation.metrics.items():
        if entry["value"] is None:
            continue
        interval = "" if entry["low"] is None else f"{entry['low']:.2f} to {entry['high']:.2f}"
        flattery = evaluation.optimism.get(key)
        optimism = "" if flattery is None else f"{flattery:.2f}"
        table.add_row(key, f"{entry['value']:.2f}", interval, optimism)
    Console().print(table)
    for what, count in (evaluation.counts or {}).items():
        print(f"{what}: {count}")
