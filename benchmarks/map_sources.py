"""One checkpoint read by every source of maps: what each finds, and what it costs.

    wsol train --config configs/imagenette/squeezenet_native.yaml
    python benchmarks/map_sources.py --run RUN --manifest manifests/imagenette --csv map-sources.csv

A line a source: how many sources share its forward pass, milliseconds an image on this machine as if it
were read alone (the forward pass and its own reading), and every figure of its record, in percent where
the record says nothing else. Thresholds are the protocol's own policy's. Score-CAM and occlusion take
hundreds of passes an image: leave them out with --sources, or prepare a manifest of few images for them.
"""

from __future__ import annotations

import argparse
import dataclasses
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from wsol.files.csv_table import csv_text
from wsol.files.writing.atomic import write_text
from wsol.maps import listed
from wsol.maps.model_sources import passes, resolve
from wsol.pipeline.evaluate_run import evaluate_run
from wsol.pipeline.model import Model
from wsol.pipeline.outputs.publish import Outputs
from wsol.recipe import How
from wsol.scores.records import RunRecord

SOURCES = (
    "cam", "features", "random",
    "torchcam:CAM", "torchcam:GradCAM", "torchcam:GradCAMpp", "torchcam:XGradCAM", "torchcam:LayerCAM",
    "torchcam:SmoothGradCAMpp", "torchcam:RefineCAM",
    "saliency", "smoothgrad", "integrated_gradients",
    "cam+flip", "cam+scales:0.75,1,1.5", "cam+flip+scales:0.75,1,1.5",
    "occlusion", "torchcam:ScoreCAM",
)  # fmt: skip


def main() -> None:
    """Score the sources pass by pass; print and write the lines."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--run", required=True, help="folder of a trained run")
    parser.add_argument("--manifest", required=True, help="folder of a manifest")
    parser.add_argument("--sources", default=",".join(SOURCES), help="by commas; default: all")
    parser.add_argument("--batch-size", type=int, default=8, help="the first batch's time is left out")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--csv", type=Path)
    arguments = parser.parse_args()
    how = How(device=arguments.device, threads=arguments.threads, workers=arguments.workers)
    model = Model.open(arguments.run, how)
    given = " ".join(
        f"--{key.replace('_', '-')} {value}"
        for key, value in vars(arguments).items()
        if value != parser.get_default(key)
    )
    lines: list[dict[str, str]] = []
    for line in scored(model, listed(arguments.sources), arguments.manifest, arguments.batch_size):
        print(", ".join(f"{key} {value}" for key, value in line.items() if value), flush=True)
        lines.append(line)
        if arguments.csv:  # as far as it is: the last sources may take an hour
            head = f"# python benchmarks/map_sources.py {given}"
            write_text(arguments.csv, f"{head}\n{table(lines)}")
    print(table(lines))


def scored(model: Model, sources: Sequence[str], manifest: str, batch: int) -> Iterator[dict[str, str]]:
    """The line of each source, by column."""
    for together in passes([resolve(source, model.localizer) for source in sources]):
        settings = dataclasses.replace(model.recipe.evaluation, maps=together, batch_size=batch)
        with tempfile.TemporaryDirectory() as folder:
            evaluate_run(model, settings, manifest=manifest, outputs=Outputs(results=folder))
            found = [RunRecord.read(path) for path in sorted(Path(folder, "runs").rglob("*.json"))]
        for record in sorted(found, key=lambda record: together.index(record.maps)):
            yield line_of(record, len(together))


def line_of(record: RunRecord, together: int) -> dict[str, str]:
    """A record as columns; ``together`` sources were read from one forward pass."""
    figures = {key: entry["value"] for key, entry in record.metrics.items()}
    return {
        "source": record.maps,
        "sources_of_pass": str(together),
        "ms_per_image": _text(record.cost["ms_per_image"], 1),
        "images": str(record.n_images),
        **{key: _text(value, 2) for key, value in figures.items() if value is not None},
    }


def table(lines: Sequence[dict[str, str]]) -> str:
    """The lines as CSV; a figure that a source has not is empty."""
    columns = list(dict.fromkeys(key for line in lines for key in line))
    return csv_text(columns, [[line.get(column, "") for column in columns] for line in lines])


def _text(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"


if __name__ == "__main__":
    main()
