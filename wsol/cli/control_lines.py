"""``wsol diagnose --controls``: what each figure says of maps whose failing is known."""

from __future__ import annotations

from pathlib import Path


def tell_controls(output: Path, *, small: bool) -> None:
    """Score the controls, print their tables, and write them as ``controls.md`` and ``controls.csv``."""
    from wsol.files.csv_table import write_csv
    from wsol.files.writing.atomic import write_text
    from wsol.pipeline.diagnosis.control_scores import score_all
    from wsol.pipeline.diagnosis.control_tables import COLUMNS, figures, markdown

    scores = score_all(output, small=small)
    text = markdown(scores)
    print(text)
    print(write_text(output / "controls.md", text))
    print(write_csv(output / "controls.csv", COLUMNS, figures(scores)))
