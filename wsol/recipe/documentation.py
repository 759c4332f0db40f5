"""What the docstrings say of each setting: the one place where it is written, for help and pages."""

from __future__ import annotations

import inspect
import re

# `name: its meaning`, over as many lines as are indented deeper.
ENTRY = re.compile(r"^    (\w+): ((?:.*\n?)(?:^     +.*\n?)*)", re.MULTILINE)


def first_sentences(cls: type) -> dict[str, str]:
    """The first sentence that the class's ``Attributes`` say of each field, without its full stop."""
    _, _, attributes = (inspect.getdoc(cls) or "").partition("Attributes:\n")
    return {
        name: re.split(r"\.\s", " ".join(meaning.split()) + " ")[0].replace("``", "")
        for name, meaning in ENTRY.findall(attributes)
    }
