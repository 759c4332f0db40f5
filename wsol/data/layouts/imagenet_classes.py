"""The 1,000 classes of ILSVRC CLS-LOC in their standard order: wnids sorted, 0 is n01440764, tench.

timm carries the list; it is read from timm's files without importing timm, which would import torch.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path

from wsol.data.manifest.manifest_draft import DraftClass
from wsol.errors import UserError
from wsol.files.text_tables import read_lines

COUNT = 1000


@cache
def imagenet_classes() -> tuple[DraftClass, ...]:
    """Name and wnid of each class, by class number."""
    spec = find_spec("timm")
    if spec is None or spec.origin is None:
        raise UserError("the list of ImageNet's classes comes with timm, which is not installed")
    folder = Path(spec.origin).parent / "data" / "_info"
    wnids = [text for _, text in read_lines(folder / "imagenet_synsets.txt")]
    rows = (text.split("\t", 1) for _, text in read_lines(folder / "imagenet_synset_to_lemma.txt"))
    names = {row[0]: row[-1] for row in rows}
    if len(wnids) != COUNT or sorted(wnids) != wnids:
        raise UserError(f"{folder}: not the list of {COUNT} ImageNet classes that wsol knows")
    return tuple(DraftClass(names.get(wnid, wnid), wnid) for wnid in wnids)
