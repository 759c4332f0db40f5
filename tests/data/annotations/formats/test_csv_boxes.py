from __future__ import annotations

import pytest

from wsol.data.annotations.annotation_pass import AnnotationPass
from wsol.data.annotations.any_format import read_annotations, read_source
from wsol.errors import UserError


def said(*arguments: object, **options: object) -> list[str]:
    with pytest.raises(UserError) as caught:
        read_annotations(*arguments, **options)  # pyright: ignore
    return str(caught.value).splitlines()


@pytest.mark.parametrize(
    "text",
    [
        "image,x0,y0,x1,y1,label\na.jpg,1,2,4,6,bird\n",
        "\ufeffimage,label,x0,y0,x1,y1\r\na.jpg,bird,1,2,4,6\r\n",
        " FileName , Class , xmin , ymin , xmax , ymax \n a.jpg , bird , 1 , 2 , 4 , 6 \n",
        "class,path,x,y,width,height\nbird,a.jpg,1,2,3,4\n",
        "\ufeffimage;label;x0;y0;x1;y1\r\na.jpg;bird;1;2;4;6\r\n",
        'label,file,x,y,w,h\n"bird","a.jpg",1.0,2,3,4\n\n',
        "image,label,x1,y1,x2,y2\n./a.jpg,bird,1,2,4,6",
    ],
)
def test_csv_spellings(tmp_path, text):
    path = tmp_path / "boxes.csv"
    path.write_bytes(text.encode())
    image = read_annotations(path)["a.jpg"]
    assert image.boxes.tolist() == [[1, 2, 4, 6]] and image.label == "bird"


def test_csv_size_beside_corners_and_several_rows_an_image(tmp_path):
    path = tmp_path / "boxes.csv"
    path.write_text(
        "filename,width,height,class,xmin,ymin,xmax,ymax\n"
        "día 1/птица.jpg,20,10,bird,0,0,5,5\ndía 1/птица.jpg,20,10,tree,1,1,9,9\nnone.jpg,20,10,,,,,\n"
    )
    found = read_annotations(path)
    several = found["día 1/птица.jpg"]
    assert several.size == (10, 20) and len(several.boxes) == 2
    assert several.categories == ["tree", "bird"] and several.label == ""  # the larger first
    assert found["none.jpg"].boxes.shape == (0, 4)


def test_csv_findings_name_the_line(tmp_path):
    path = tmp_path / "boxes.csv"
    path.write_text(
        "image,x0,y0,x1,y1\na.jpg,4,0,3,5\nb.jpg,1,2,3\n..,0,0,1,1\nd.jpg,one,0,1,1\ne.jpg,nan,0,1,1\n"
    )
    lines = said(path)
    assert [line.split(": ")[0] for line in lines] == [f"{path} line {n}" for n in range(2, 7)]
    for line, what in zip(
        lines,
        [
            "x1 (3) is not right of x0 (4)",
            "4 cells",
            "leaves the root",
            "not four numbers",
            "not four numbers",
        ],
        strict=True,
    ):
        assert what in line
    path.write_text("a.jpg,0,0,1,1\n")
    assert "line 1: no column names the image" in said(path)[0]


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("image,xmin,ymin,xmax,y_max", "columns xmin, ymin, xmax, y_max are not a whole box"),
        ("image,label,x,y,width", "columns x, y are not a whole box"),
        (
            "image,left,top,right,bottom",
            "neither box, mask, label nor split among the columns image, left",
        ),
        ("image,width,height", "neither box, mask, label nor split"),
    ],
)
def test_columns_that_tell_nothing_are_an_error(tmp_path, header, message):
    path = tmp_path / "boxes.csv"
    path.write_text(f"{header}\n" + ",".join(["a.jpg", *"1234"[: header.count(",")]]))
    lines = said(path)
    assert len(lines) == 1 and lines[0].startswith(f"{path} line 1: ") and message in lines[0]


def test_columns_that_are_not_known_are_noted(tmp_path):
    path = tmp_path / "boxes.csv"
    path.write_text("image,label,left,width,height,area\na.jpg,cat,1,20,10,0.5\n")
    reading = AnnotationPass()
    (image,) = read_source(path, reading)
    assert image.label == "cat" and image.size == (10, 20) and image.own_classes
    assert reading.notes == [f"{path}: columns left out: left, area"]


@pytest.mark.parametrize(
    "text",
    [
        "ImageID,Confidence,XMin,XMax,YMin,YMax\na,0.5,1,4,2,6\n",
        "image_name\tprob\tscore\tx_min\ty_min\tx_max\ty_max\na\tx\t0.5\t1\t2\t4\t6\n",
        "image;conf;x;y;w;h\na;0,5;1,0;2;3;4\n",
    ],
)
def test_scores_and_other_dialects(tmp_path, text):
    path = tmp_path / "boxes.csv"
    path.write_text(text)
    image = read_annotations(path)["a"]
    assert image.boxes.tolist() == [[1, 2, 4, 6]] and image.objects[0].score == 0.5


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            b'image_id,width,height,bbox,source\na,20,10,"[1, 2, 3, 4]",x\n',
            "column 'bbox' holds whole boxes",
        ),
        (b"a.jpg,0,0,5,5\nb.jpg,0,0,5,5\n", "the line holds numbers, not the names of columns"),
        ("image,label,x,y,w,h\n\u00e9.jpg,b,0,0,5,5\n".encode("cp1252"), "Windows-1252"),
        (b"image,x,y,w,h,score\na.jpg,0,0,5,5,high\n", "line 2: score 'high' is no number"),
    ],
)
def test_other_tables_are_told_what_they_are(tmp_path, content, message):
    path = tmp_path / "boxes.csv"
    path.write_bytes(content)
    lines = said(path)
    assert len(lines) == 1 and message in lines[0]


def test_boxes_without_area_are_left_out_and_counted(tmp_path):
    path = tmp_path / "boxes.csv"
    path.write_text("image,x0,y0,x1,y1\na.jpg,0,0,0,0\nb.jpg,1,2,1,4\nb.jpg,1,2,3,4\n")
    reading = AnnotationPass()
    none, one = read_source(path, reading)
    assert not none.objects and one.boxes.tolist() == [[1, 2, 3, 4]] and not reading.findings
    assert reading.notes == [f"{path}: 2 boxes of no width or height are left out, the first in line 2"]


def test_a_table_names_masks_in_its_own_folder_only(tmp_path):
    path = tmp_path / "boxes.csv"
    for name in ("../secret.png", "/etc/secret.png", "C:\\secret.png", "http://host/../secret.png"):
        path.write_text(f"image,mask\na.jpg,{name}\n")
        assert "line 2: mask file" in said(path)[0]


def test_rows_of_an_image_need_not_be_neighbours(tmp_path):
    path = tmp_path / "boxes.csv"
    path.write_text("image,x0,y0,x1,y1\na,0,0,1,1\nb,0,0,2,2\na,0,0,3,3\n")
    found = read_annotations(path, corners="inclusive")
    assert [box.tolist() for box in found["a"].boxes] == [[0, 0, 2, 2], [0, 0, 4, 4]]
    box = found["a"].objects[-1].box
    assert box is not None and box.source == (0, 0, 3, 3) and box.where == f"{path} line 4"
    assert found["b"].boxes.tolist() == [[0, 0, 3, 3]]
