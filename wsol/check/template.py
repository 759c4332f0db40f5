"""The start of an attention module of one's own: a documented file and its test, which passes."""

from __future__ import annotations

import keyword
import re
import sys
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from string import Template

from wsol.errors import UserError, suggest
from wsol.files.writing.atomic import write_text

# The insertions that have a template, and how many parameters its module has at 64 channels: weights and
# biases, a feedback module with a bottom of 16 channels, a head with 5 classes.
PARAMETER_COUNTS = {
    "stage": "64 + 1",
    "block": "64 * 64 + 64",
    "feedback": "64 * 16 + 16",
    "head": "64 + 1 + 64 * 5 + 5",
}


def write_template(name: str, insertion: str, folder: Path | str) -> list[Path]:
    """Write ``<name>.py`` and ``test_<name>.py`` into ``folder``; returns the two paths.

    ``name`` is the module's file name, ``top_hat`` for the class ``TopHat``; ``insertion`` one of
    `PARAMETER_COUNTS`. ``UserError`` for a name that Python does not take, or a file that exists.
    """
    if not re.fullmatch(r"[a-z_][a-z0-9_]*", name) or keyword.iskeyword(name):
        raise UserError(
            f"NAME {name!r} must be a Python module name in lower case, such as 'my_attention'"
        )
    if name in sys.stdlib_module_names or find_spec(name) is not None:
        raise UserError(
            f"NAME {name!r} is a module that Python has already, which the new file would hide: choose "
            f"another, such as 'my_{name}'"
        )
    if insertion not in PARAMETER_COUNTS:
        raise UserError(f"unknown insertion {insertion!r}{suggest(insertion, PARAMETER_COUNTS)}")
    paths = [Path(folder) / f"{name}.py", Path(folder) / f"test_{name}.py"]
    for path in paths:
        if path.exists():
            raise UserError(f"{path} is there already: choose another NAME or --output")
    class_name = "".join(word.capitalize() for word in name.split("_") if word) or "Attention"
    words = {"module": name, "class_name": class_name, "count": PARAMETER_COUNTS[insertion]}
    for path, template in zip(paths, (insertion, "test"), strict=True):
        file = files("wsol.check").joinpath("templates", f"{template}.py.txt")
        write_text(path, Template(file.read_text(encoding="utf-8")).substitute(words))
    return paths
