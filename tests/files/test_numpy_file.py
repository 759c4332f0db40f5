"""NumPy files read as NumPy reads them, and none that declares more than there is, or too much."""

from __future__ import annotations

import io
import tracemalloc
import zipfile
import zlib

import numpy as np
import pytest

from wsol.errors import UserError
from wsol.evaluation.masks import read_mask
from wsol.files.array_file import deterministic_npz, from_planes, unpack
from wsol.files.numpy_file import Limit, read_arrays
from wsol.maps.map_folder import read_map

LARGE = Limit(10**6, 8 * 10**6)
MIB = 2**20


def header(
    shape: str, dtype: str = "<f8", version: tuple[int, int] = (1, 0), order: str = "False"
) -> bytes:
    """The beginning of a .npy file, spelled by hand."""
    text = f"{{'descr': {dtype!r}, 'fortran_order': {order}, 'shape': {shape}, }}".encode()
    size = len(text).to_bytes(2 if version == (1, 0) else 4, "little")
    return b"\x93NUMPY" + bytes(version) + size + text


def archive(path, members, compression=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", compression) as file:
        for name, content in members:
            file.writestr(name, content)
    return path


def zeros(count: int) -> bytes:
    return bytes(count)


@pytest.mark.parametrize(
    "array",
    [
        *(
            np.arange(12).reshape(3, 4).astype(dtype)
            for dtype in ("?", "u1", "<i8", ">f4", "e", "g", "c16")
        ),
        np.asfortranarray(np.arange(12.0).reshape(3, 4)),
        np.arange(24.0).reshape(2, 3, 4)[:, ::2],
        np.array(["é", "text"]),
        np.array(3.5),
        np.zeros((0, 5)),
        np.zeros((3, 2), [("a", "<i4"), ("b", "u1")]),
        np.random.default_rng(0).random((300, 200)),
    ],
    ids=lambda array: f"{array.dtype}{array.shape}",
)
@pytest.mark.parametrize("kind", ["npy", "npz", "compressed", "version 2"])
def test_arrays_are_numpys_own(array, kind, tmp_path):
    path = tmp_path / ("a.npy" if kind in ("npy", "version 2") else "a.npz")
    if kind == "npy":
        np.save(path, array)
    elif kind == "version 2":
        with path.open("wb") as file:
            np.lib.format.write_array(file, array, version=(2, 0))
    else:
        (np.savez_compressed if kind == "compressed" else np.savez)(path, first=array, second=array.T)
    expected = np.load(path)
    names = [""] if path.suffix == ".npy" else expected.files
    found = read_arrays(path, LARGE)
    assert [name for name, _ in found] == names
    for name, values in found:
        wanted = expected if not name else expected[name]
        np.testing.assert_array_equal(values, wanted)
        assert values.dtype == wanted.dtype and values.flags.writeable
        assert values.flags.f_contiguous == wanted.flags.f_contiguous


BOMBS = {
    "a terabyte in a header": header("(1000000, 1000000)") + zeros(64),
    "dimensions without end": header(f"({10**30}, 0)"),
    "negative dimensions": header("(-2, -4)") + zeros(64),
    "one dimension negative": header("(-2, 4)") + zeros(64),
    "less than it declares": header("(4, 4)") + zeros(120),
    "more than it declares": header("(4, 4)") + zeros(136),
    "a type of a gigabyte": header("(1,)", "|S1073741824") + zeros(64),
    "types without bytes": header("(1000000, 1000000)", "|V0"),
    "Python objects": header("(4,)", "|O") + zeros(32),
    "a header of megabytes": b"\x93NUMPY\x02\x00" + (2**30).to_bytes(4, "little") + b" " * MIB,
    "a header that nests": header("(" * 5000 + "1" + ")" * 5000),
    "a shape that is code": header("__import__('os').getcwd()"),
    "an unknown version": header("(1,)", version=(9, 0)) + zeros(8),
    "no header": b"\x93NUMPY",
}


@pytest.mark.parametrize("kind", BOMBS)
@pytest.mark.parametrize("packed", [False, True])
def test_a_header_that_lies_is_one_line(kind, packed, tmp_path):
    path = tmp_path / ("bomb.npz" if packed else "bomb.npy")
    if packed:
        archive(path, [("map.npy", BOMBS[kind])])
    else:
        path.write_bytes(BOMBS[kind])
    tracemalloc.start()
    readers = (read_map, read_mask) if not packed else (read_map,)
    for read in readers:
        with pytest.raises(UserError) as caught:
            read(path)
        assert str(caught.value).startswith(f"{path}: ") and "\n" not in str(caught.value)
    assert tracemalloc.get_traced_memory()[1] < 30 * MIB
    tracemalloc.stop()


def test_a_zip_that_inflates_to_gigabytes(tmp_path):
    """Three gigabytes of zeros are three megabytes of file: only its first bytes are unpacked."""
    content = header("(40000, 10000)")
    packer = zlib.compressobj(9, wbits=-15)
    block = zeros(32 * MIB)
    packed = (
        packer.compress(content) + b"".join(packer.compress(block) for _ in range(4)) + packer.flush()
    )
    path = archive(tmp_path / "bomb.npz", [("map.npy", packed)], zipfile.ZIP_STORED)
    # The directory says what the header says.
    declared = len(content) + 40000 * 10000 * 8
    raw = bytearray(path.read_bytes())
    for place, mark in ((0, b"PK\x03\x04"), (raw.rindex(b"PK\x01\x02"), b"PK\x01\x02")):
        start = place + (8 if mark == b"PK\x03\x04" else 10)
        raw[start : start + 2] = (8).to_bytes(2, "little")
        size = place + (22 if mark == b"PK\x03\x04" else 24)
        raw[size : size + 4] = declared.to_bytes(4, "little")
    path.write_bytes(raw)
    tracemalloc.start()
    with pytest.raises(
        UserError, match=r"bomb\.npz: not a score map .* 40000 x 10000 values .* too many"
    ):
        read_map(path)
    assert tracemalloc.get_traced_memory()[1] < 30 * MIB
    tracemalloc.stop()


def test_a_small_header_before_much_is_refused_before_it_is_unpacked(tmp_path):
    path = archive(tmp_path / "a.npz", [("map.npy", header("(2, 2)") + zeros(200 * MIB))])
    assert path.stat().st_size < MIB
    tracemalloc.start()
    with pytest.raises(UserError, match="declares 32 bytes of values and holds 209,715,200"):
        read_map(path)
    assert tracemalloc.get_traced_memory()[1] < 30 * MIB
    tracemalloc.stop()


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compressions_are_refused(compression, tmp_path):
    path = archive(tmp_path / "a.npz", [("map.npy", header("(2, 2)") + zeros(32))], compression)
    with pytest.raises(UserError, match=r"a\.npz: .* compressed in a way that NumPy does not write"):
        read_map(path)


def test_the_limit_is_of_all_arrays_together(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", a=np.zeros(600), b=np.zeros(600))
    assert len(read_arrays(tmp_path / "a.npz", Limit(1200, 9600))) == 2
    for limit in (Limit(1199, 9600), Limit(1200, 9599)):
        with pytest.raises(ValueError, match="600 values of float64, which is too many"):
            read_arrays(tmp_path / "a.npz", limit)


@pytest.mark.parametrize("place", [0.2, 0.5, 0.9])
def test_damage_inside_an_archive_is_found(place, tmp_path):
    np.savez_compressed(tmp_path / "a.npz", a=np.random.default_rng(0).random((40, 40)))
    raw = bytearray((tmp_path / "a.npz").read_bytes())
    raw[int(place * 10_000)] ^= 1
    (tmp_path / "a.npz").write_bytes(raw)
    with pytest.raises(UserError, match=r"a\.npz: not a score map"):
        read_map(tmp_path / "a.npz")


def test_arrays_of_a_record_that_unpack_to_more_than_its_images_need():
    content = deterministic_npz({"has_box": np.zeros(5 * MIB, bool), "x": np.zeros(3, np.uint8)})
    assert len(unpack(content, 6 * MIB)["has_box"]) == 5 * MIB
    tracemalloc.start()
    with pytest.raises(ValueError, match="values of bool, which is too many"):
        unpack(content, 4 * MIB)
    assert tracemalloc.get_traced_memory()[1] < 4 * MIB
    tracemalloc.stop()


@pytest.mark.parametrize(
    "planes",
    [
        np.zeros((10**9, 0, 3), np.uint8),
        np.zeros((5, 2, 3), np.uint8),
        np.zeros((2, 3)),
        np.zeros(3, "u1"),
    ],
    ids=str,
)
def test_planes_that_no_number_is_made_of(planes):
    with pytest.raises(ValueError, match="planes of bytes have shape"):
        from_planes(planes, np.uint32)


def test_a_mask_that_is_an_archive_of_several_is_said(tmp_path):
    np.savez(tmp_path / "a.npz", a=np.ones((2, 2)), b=np.ones((2, 2)))
    (tmp_path / "a.npz").rename(tmp_path / "a.npy")
    for read in (read_mask, read_map):
        with pytest.raises(UserError, match=r"a\.npy: does not hold one array"):
            read(tmp_path / "a.npy")


def test_a_stream_is_read_too():
    stream = io.BytesIO()
    np.save(stream, np.arange(5))
    ((name, values),) = read_arrays(stream, LARGE)
    assert name == "" and values.tolist() == [0, 1, 2, 3, 4]
