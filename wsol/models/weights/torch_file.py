"""Reading what ``torch.save`` wrote: tensors and plain data only, nothing is unpickled."""

from __future__ import annotations

import argparse
import pickle
import re
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch

from wsol.errors import UserError
from wsol.files.reading import refuse_no_file

# What checkpoints hold beside tensors and is plain data: timm's command line, Lightning's dictionaries,
# NumPy's numbers. Names stand for classes that need not be installed.
SCALAR: Any = np.float64(0).__reduce__()[0]
PLAIN: list[Any] = [
    argparse.Namespace,
    (dict, "pytorch_lightning.utilities.parsing.AttributeDict"),
    (dict, "lightning.fabric.utilities.data.AttributeDict"),
    (dict, "lightning_fabric.utilities.data.AttributeDict"),
    (SCALAR, "numpy.core.multiarray.scalar"),
    (SCALAR, "numpy._core.multiarray.scalar"),
    np.dtype,
    *{type(np.dtype(code)) for code in "?bhilqBHILQefd"},
]


def read_torch_file(path: Path, mend: str) -> Any:
    """The content of a ``.pth`` file on the CPU.

    Raises:
        UserError: no such file, or what is none, or is damaged; ``mend`` ends its message.
    """
    refuse_no_file(path)
    try:
        # An open file, since torch takes what a path ends in for what is inside.
        with (
            path.open("rb") as file,
            torch.serialization.safe_globals(PLAIN),
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("ignore")  # about other pickle protocols
            return torch.load(file, map_location="cpu", weights_only=True)
    # Of a damaged file torch's readers raise whatever its bytes lead them to: IndexError, KeyError, ...
    except Exception as error:
        raise UserError(f"{path}: {_reason(path, error)}; {mend}") from error


def is_whole(path: Path) -> bool:
    """Whether the bytes are those that were written: torch stores their CRC, but never looks."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.testzip() is None
    except Exception:  # zlib's, struct's, zipfile's own: a damaged archive
        return False


def _reason(path: Path, error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"cannot be read ({error.strerror})"
    if path.stat().st_size == 0:
        return "an empty file"
    # torch's own words advise to load it with code; its "invalid load key" means that it is no pickle.
    said = str(error)
    if isinstance(error, pickle.UnpicklingError) and "GLOBAL" in said.upper():
        named = re.search(r"GLOBAL ([\w.]+)", said)
        what = f" ({named[1]})" if named else ""
        return (
            f"holds Python objects{what} beside tensors, which are never loaded; where you trust the "
            "file, load it with torch and save its state_dict()"
        )
    return "not a file that torch.save wrote, or a damaged one"
