"""``wsol evaluate``: score a run, a recipe's run, a folder of score maps, or one's own images."""

from __future__ import annotations

import dataclasses
from argparse import Namespace
from pathlib import Path

from wsol.cli.parser import Parser, at_least
from wsol.cli.recipe_arguments import parse_recipe
from wsol.data.manifest.box_conventions import BOX_CONVENTIONS
from wsol.errors import UserError
from wsol.evaluation.evaluator import Evaluation
from wsol.recipe import EvaluationSettings as Settings
from wsol.recipe import How

# What is scored, by the option that names it, and which others say something about it.
ALWAYS = {"protocol", "thresholds", "step", "output", "overlays", "results"}
OPTIONS = {
    "images": ALWAYS | {"run", "annotations", "corners", "maps", "device", "workers"},
    "run": ALWAYS | {"maps", "manifest", "split", "device", "workers"},
    "maps": ALWAYS | {"manifest", "predictions", "name", "split"},
}


def main(argv: list[str]) -> int:
    """Score and print; see the subject's own help for what is written."""
    if any(argument.split("=")[0] == "--config" for argument in argv):
        return _of_recipe(argv)
    arguments = _parser().parse(argv)
    given = {name for name, value in vars(arguments).items() if value is not None}
    subject = next((name for name in OPTIONS if name in given), "")
    if subject and (foreign := sorted(given - OPTIONS[subject] - {subject})):
        raise UserError(
            f"--{', --'.join(foreign)}: not with --{subject}, which takes "
            f"--{', --'.join(sorted(OPTIONS[subject]))}"
        )
    if subject == "images" and {"run", "annotations"} <= given:
        return _of_images(arguments)
    if subject == "run":
        return _of_run(arguments)
    if subject == "maps" and "manifest" in given:
        return _of_maps(arguments)
    raise UserError(
        "evaluate what? --run RUN, --config RECIPE, --maps DIR --manifest DIR, or "
        "--images DIR --annotations PATH --run RUN (no annotations: wsol localize)"
    )


def _parser() -> Parser:
    """All options are None where they are not given."""
    parser = Parser("evaluate", "Score a run, a folder of score maps (no model), or your own images.")
    subject = parser.add_argument_group("what is scored")
    subject.add_argument("--run", help="folder of a trained run")
    subject.add_argument("--maps", help="with --run: sources by commas; else a folder of IMAGE_ID.npy")
    subject.add_argument("--manifest", help="folder of a manifest; with --run: another data set")
    subject.add_argument("--predictions", help="class predictions beside --maps: image_id,top1,...,top5")
    subject.add_argument("--images", help="folder of your own images, scored with --run")
    subject.add_argument("--annotations", nargs="+", help="of --images: COCO, VOC, CSV, masks")
    subject.add_argument(
        "--corners",
        choices=list(BOX_CONVENTIONS),
        help="of --annotations; default: as their format does",
    )
    subject.add_argument("--name", help="what the board calls --maps; default: the folder's name")
    rules = parser.add_argument_group("how")
    rules.add_argument("--split", help="default: the recipe's, else test")
    rules.add_argument("--protocol", help="default: the recipe's, else choe2020; of --images: halfopen")
    rules.add_argument(
        "--thresholds", help="oracle, val, fixed:T; default: the recipe's, else the protocol's"
    )
    rules.add_argument("--step", type=float, help="of the threshold grid; default: 0.001")
    rules.add_argument("--device", help="auto, cpu or cuda; default: auto")
    rules.add_argument(
        "--workers",
        type=at_least(0),
        help=f"processes that load images; default: {How().workers}",
    )
    _add_outputs(parser)
    return parser


def _add_outputs(parser: Parser) -> None:
    output = parser.add_argument_group("what is written")
    output.add_argument(
        "--output",
        help="folder for metrics.json, per_image.csv, overlays and, of --images, masks; "
        "default: RUN/evaluation, of --images: output, of --maps: none",
    )
    output.add_argument(
        "--overlays", type=at_least(0), help="pictures to draw; default: 0, of --images: 12"
    )
    output.add_argument("--results", help="also append the record to RESULTS/runs, for the board")


def _of_run(arguments: Namespace) -> int:
    from wsol.pipeline.evaluate_run import score_run
    from wsol.training.run_folder import RunFolder

    recipe = RunFolder(arguments.run).recipe()
    settings = _settings(arguments, recipe.evaluation)
    if arguments.maps is not None:
        settings = dataclasses.replace(settings, maps=arguments.maps.split(","))
    output = arguments.output or str(Path(arguments.run) / "evaluation")
    evaluations = score_run(
        arguments.run,
        settings,
        _how(arguments, recipe.how),
        manifest=arguments.manifest,
        results=arguments.results,
        output=output,
        overlays=arguments.overlays or 0,
    )
    return _done(evaluations, output)


def _of_recipe(argv: list[str]) -> int:
    """``--config RECIPE [--any.key value]``: the run that training this recipe has made."""

    def add(parser) -> list[str]:
        parser.add_argument("--output", default=None)
        parser.add_argument("--overlays", type=int, default=0)
        parser.add_argument("--results", default=None)
        return ["output", "overlays", "results"]

    recipe, own = parse_recipe(argv, "evaluate", add)
    from wsol.pipeline.evaluate_run import score_run
    from wsol.pipeline.inputs import run_folder

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
    return _done(evaluations, output)


def _of_maps(arguments: Namespace) -> int:
    from wsol.data.manifest.manifest import Manifest
    from wsol.pipeline.evaluate_maps import score_maps

    if arguments.overlays and not (arguments.output or arguments.results):
        raise UserError(f"--overlays {arguments.overlays}: say where to, with --output or --results")
    evaluation = score_maps(
        arguments.maps,
        Manifest.read(arguments.manifest),
        _settings(arguments, Settings()),
        name=arguments.name or "",
        predictions=arguments.predictions,
        results=arguments.results,
        output=arguments.output,
        overlays=arguments.overlays or 0,
    )
    return _done({arguments.maps: evaluation}, arguments.output)


def _of_images(arguments: Namespace) -> int:
    from wsol.pipeline.evaluate_images import score_images

    settings = _settings(arguments, Settings(protocol="halfopen"))
    output = arguments.output or "output"
    evaluations = score_images(
        arguments.images,
        arguments.annotations,
        arguments.run,
        output,
        maps=[] if arguments.maps is None else arguments.maps.split(","),
        protocol=settings.protocol,
        thresholds=settings.thresholds,
        step=settings.step,
        corners=arguments.corners,
        how=_how(arguments, How()),
        results=arguments.results,
        overlays=12 if arguments.overlays is None else arguments.overlays,
    )
    return _done(evaluations, output)


def _settings(arguments: Namespace, defaults: Settings) -> Settings:
    asked = {key: getattr(arguments, key) for key in ("split", "protocol", "thresholds", "step")}
    given = {key: value for key, value in asked.items() if value is not None}
    return dataclasses.replace(defaults, **given)


def _how(arguments: Namespace, defaults: How) -> How:
    workers = How().workers if arguments.workers is None else arguments.workers
    return dataclasses.replace(defaults, device=arguments.device or "auto", workers=workers)


def _done(evaluations: dict[str, Evaluation], output: str | None) -> int:
    for source, evaluation in evaluations.items():
        _show(evaluation, source)
    if output:
        print(f"written to {output}")
    return 0


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
