"""Labels and instances of boxes and codes of parts, from a draft to the manifest that is read again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wsol.data.layouts.clutter import LAYOUT
from wsol.data.manifest.manifest import Manifest
from wsol.data.manifest.manifest_draft import DraftBox, DraftClass, DraftImage, ManifestDraft
from wsol.data.manifest.manifest_writing import write_manifest
from wsol.errors import UserError

NAMES = {1: "deciding", 2: "shared", 3: "distractor"}


def codes(path: Path, pixels: list[list[int]], mode: str = "L") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(np.array(pixels, np.uint8))
    if mode == "P":
        image.putpalette([level for level in range(256) for _ in range(3)])
    image.convert(mode).save(path)
    return path


def box(x0: float, label: int | None = None, instance: int | None = None) -> DraftBox:
    corners = (x0, 0.0, x0 + 1, 1.0)
    return DraftBox(corners, corners, f"list line {x0:g}", label, instance)


def draft(root: Path, *images: DraftImage, part_names: dict[int, str] | None = None) -> ManifestDraft:
    """Images a and b of 4 x 2 pixels, whatever is said of them; three classes."""
    for name in "ab":
        codes(root / f"{name}.png", [[0] * 4] * 2)
    classes = [DraftClass(name, name) for name in ("gull", "wren", "tit")]
    made = ManifestDraft("mine", "Mine", "1", root, classes, images)
    made.part_names = part_names or {}
    return made


def findings(folder: Path, made: ManifestDraft) -> list[str]:
    with pytest.raises(UserError) as caught:
        write_manifest(folder, made)
    assert not folder.exists()
    return str(caught.value).splitlines()


def test_labels_instances_and_parts_come_back(tmp_path):
    root = tmp_path / "root"
    codes(root / "parts/a.png", [[0, 1, 1, 2], [3, 0, 0, 0]])
    codes(root / "m/a.png", [[0, 9, 9, 9], [0, 0, 0, 0]])
    codes(root / "parts/b.png", [[3] * 4] * 2, "P")
    boxes = (box(0), box(1, label=2, instance=0), box(2, label=0, instance=5))
    made = draft(
        root,
        DraftImage("a", "a.png", 2, "test", boxes, (("m/a.png", ""),), parts="parts/a.png"),
        DraftImage("b", "b.png", None, "test", parts="parts/b.png"),
        part_names=NAMES,
    )
    info = write_manifest(tmp_path / "m", made)
    assert info["counts"]["masks"] == {"test": 1} and info["counts"]["annotated"] == {"test": 1}
    manifest = Manifest.read(tmp_path / "m")
    assert manifest.part_names == NAMES and manifest.info == info
    found = manifest.split("test").annotations()
    assert found["a"].box_labels.tolist() == [-1, 2, 0]
    assert found["a"].box_instances.tolist() == [-1, 0, 5]
    assert found["a"].masks == (f"{root}/m/a.png",) and found["a"].parts == f"{root}/parts/a.png"
    assert found["b"].parts == f"{root}/parts/b.png" and found["b"].masks == ()
    assert found["b"].box_labels.shape == (0,)


def test_a_data_set_that_says_nothing_of_the_kind_keeps_its_hash(tmp_path):
    """The hash is the one that was written before labels, instances and parts existed."""
    options = LAYOUT.options(size=48, train=20, val=10, test=10, seed=3)
    info = write_manifest(tmp_path / "m", LAYOUT.read(None, options))
    assert info["hash"] == "1963678bbff0b59648f83621a7770f5a78f40476484f3d0c8afcdcea7bf6c392"
    assert "parts" not in info
    assert (tmp_path / "m/masks.csv").read_text().startswith("image_id,mask,ignore\nval_00000,")


def test_wrong_labels_and_instances_are_findings(tmp_path):
    images = [
        DraftImage("a", "a.png", 0, "test", (box(0, label=3), box(1, label=-1), box(2, instance=-2))),
        DraftImage("b", "b.png", 0, "test", (box(0, instance=1), box(3, instance=1)), where="b.xml"),
        DraftImage("c", "a.png", 0, "test", (box(1, instance=999999), box(2, instance=1000000))),
    ]
    assert findings(tmp_path / "m", draft(tmp_path / "root", *images)) == [
        "list line 0: label 3 has no class: there are 3",
        "list line 1: label -1 has no class: there are 3",
        "list line 2: instance -2 is not from 0 to 999999",
        "b.xml: instance 1 has 2 boxes",
        "list line 2: instance 1000000 is not from 0 to 999999",
    ]


def test_wrong_codes_of_parts_are_findings(tmp_path):
    root = tmp_path / "root"
    path = codes(root / "p.png", [[0, 1, 2, 7], [255, 3, 3, 3]])

    def said(**fields):
        names = fields.pop("part_names", NAMES)
        image = DraftImage("a", "a.png", 0, "test", where="list line 1", parts=fields["parts"])
        return findings(tmp_path / "m", draft(root, image, part_names=names))

    assert said(parts="p.png") == [f"{path}: pixels of code 7, 255, which is not among the named parts"]
    codes(path, [[0, 1, 2]])
    assert said(parts="p.png") == [f"{path}: mask of 3 x 1 pixels, but a.png has 4 x 2"]
    codes(path, [[0] * 4] * 2, "RGB")
    assert said(parts="p.png") == [
        f"{path}: codes of parts must be an 8-bit grey or a palette PNG, this is of mode RGB"
    ]
    path.unlink()
    assert said(parts="p.png") == [f"{path}: no such mask, which list line 1 names"]
    codes(path, [[0, 1, 2, 3]] * 2)
    assert said(parts="p.png", part_names={}) == [
        "list line 1: p.png: the draft's part_names do not say what its codes mean"
    ]
    assert said(parts="p.png", part_names={0: "ground", 1: "a", 2: "b", 3: "a"}) == [
        "parts: 0 is no code from 1 to 255",
        "parts: two codes have one name",
    ]
