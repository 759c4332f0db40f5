"""``wsol evaluate``: score a run, a recipe's run, a folder of score maps, or one's own images."""

from __future__ import annotations

import dataclasses
from argparse import Namespace

from wsol.cli.model_arguments import add_threads, add_trust, open_model
from wsol.cli.parser import Parser, at_least
from wsol.cli.recipe_arguments import CommandOption, parse_recipe
from wsol.data.manifest.box_conventions import BOX_CONVENTIONS
from wsol.errors import UserError
from wsol.evaluation.bootstrap import few_images
from wsol.evaluation.evaluator import Evaluation
from wsol.pipeline.outputs.publish import Outputs
from wsol.progress import say
from wsol.recipe import EvaluationSettings as Settings
from wsol.recipe import How

# What is scored, by the option that names it, and which others say something about it.
ALWAYS = {"protocol", "thresholds", "step", "output", "overlays", "results"}
MODEL = {"run", "model", "weights"}
OPTIONS = {
    "images": ALWAYS
    | MODEL
    | {"annotations", "corners", "maps", "device", "threads", "workers", "trust"},
    "run": ALWAYS | {"maps", "manifest", "split", "device", "threads", "workers", "trust"},
    "model": ALWAYS | {"weights", "maps", "manifest", "split", "device", "threads", "workers"},
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
    if subject == "images" and "annotations" in given and len(given & {"run", "model"}) == 1:
        return _of_images(arguments)
    if subject == "run" or (subject == "model" and "manifest" in given):
        return _of_model(arguments)
    if subject == "maps" and "manifest" in given:
        return _of_maps(arguments)
    raise UserError(
        "evaluate what? --run RUN, --config RECIPE, --model NAME --manifest DIR, "
        "--maps DIR --manifest DIR, or --images DIR --annotations PATH with --run RUN or "
        "--model NAME (no annotations: wsol localize)"
    )


def _parser() -> Parser:
    """All options are None where they are not given."""
    parser = Parser("evaluate", "Score a run, a folder of score maps (no model), or your own images.")
    subject = parser.add_argument_group("what is scored")
    subject.add_argument("--run", help="folder of a trained run")
    add_trust(subject)
    subject.add_argument("--model", help="a pretrained classifier: timm:NAME or torchvision:NAME")
    subject.add_argument("--weights", help="file of --model's weights; default: the library's own")
    subject.add_argument("--maps", help="of a model: sources by commas; else a folder of IMAGE_ID.npy")
    subject.add_argument("--manifest", help="folder of a manifest; with --run: another data set")
    subject.add_argument("--predictions", help="class predictions beside --maps: image_id,top1,...,top5")
    subject.add_argument("--images", help="folder of your own images, scored with --run or --model")
    subject.add_argument("--annotations", nargs="+", help="of --images: COCO, VOC, CSV, masks")
    subject.add_argument(
        "--corners",
        choices=list(BOX_CONVENTIONS),
        help="of --annotations; default: as their format does",
    )
    subject.add_argument("--name", help="what the board calls --maps; default: the folder's name")
    conventions = parser.add_argument_group("how")
    conventions.add_argument("--split", help="default: the recipe's, else test")
    conventions.add_argument(
        "--protocol", help="default: the recipe's, else choe2020; of --images: halfopen"
    )
    conventions.add_argument(
        "--thresholds", help="oracle, val, fixed:T; default: the recipe's, else the protocol's"
    )
    conventions.add_argument("--step", type=float, help="of the threshold grid; default: 0.001")
    conventions.add_argument("--device", help="auto, cpu or cuda; default: auto")
    add_threads(conventions)
    conventions.add_argument(
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
        "default: RUN/evaluation, of --images: output, else none",
    )
    output.add_argument(
        "--overlays", type=at_least(0), help="pictures to draw; default: 0, of --images: 12"
    )
    output.add_argument("--results", help="also append the record to RESULTS/runs, for the board")


def _of_model(arguments: Namespace) -> int:
    """A run, or a pretrained classifier on a manifest."""
    from wsol.pipeline.evaluate_run import evaluate_run

    if arguments.run is None:
        _check_overlays(arguments)
    model = open_model(arguments)
    settings = _settings(arguments, model.recipe.evaluation)
    if arguments.maps is not None:
        settings = dataclasses.replace(settings, maps=arguments.maps.split(","))
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
    recipe, own = parse_recipe(argv, "evaluate", options)
    from wsol.pipeline.evaluate_run import evaluate_run
    from wsol.pipeline.inputs import resolved, run_folder
    from wsol.pipeline.model import Model

    path = run_folder(recipe)
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
    return _done({arguments.maps: evaluation}, arguments.output)


def _of_images(arguments: Namespace) -> int:
    from wsol.pipeline.evaluate_images import evaluate_images

    maps = [] if arguments.maps is None else arguments.maps.split(",")
    settings = _settings(arguments, Settings(protocol="halfopen", maps=maps))
    output = arguments.output or "output"
    overlays = 12 if arguments.overlays is None else arguments.overlays
    evaluations = evaluate_images(
        arguments.images,
        arguments.annotations,
        open_model(arguments),
        settings,
        corners=arguments.corners,
        outputs=Outputs(arguments.results, output, overlays, masks=True),
    )
    return _done(evaluations, output)


def _check_overlays(arguments: Namespace) -> None:
    if arguments.overlays and not (arguments.output or arguments.results):
        raise UserError(f"--overlays {arguments.overlays}: say where to, with --output or --results")


def _settings(arguments: Namespace, defaults: Settings) -> Settings:
    asked = {key: getattr(arguments, key) for key in ("split", "protocol", "thresholds", "step")}
    given = {key: value for key, value in asked.items() if value is not None}
    return dataclasses.replace(defaults, **given)


def _done(evaluations: dict[str, Evaluation], output: str | None) -> int:
    for source, evaluation in evaluations.items():
        _show(evaluation, source)
    for images in {evaluation.n_images for evaluation in evaluations.values()}:
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
