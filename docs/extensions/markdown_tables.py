"""Tables of docstrings, drawn with rows of ``=``, become Markdown tables on the site."""

from __future__ import annotations

import re
from typing import Any

import griffe

RULE = re.compile(r"^(=+ +)+=+$")


class MarkdownTables(griffe.Extension):
    """The extension of mkdocs.yml: rewrites the docstring of everything that has one."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Called for every module, class, function and attribute, once it is loaded."""
        if obj.docstring is not None:
            obj.docstring.value = with_markdown_tables(obj.docstring.value)


def with_markdown_tables(text: str) -> str:
    """``text`` with Markdown tables; a row whose first cell is empty goes on with the one above."""
    lines = text.split("\n")
    rules = [index for index, line in enumerate(lines) if RULE.match(line)]
    for start in range(len(rules) - len(rules) % 3 - 3, -1, -3):  # from the last, so that places stay
        first, second, last = rules[start : start + 3]
        columns = [match.span() for match in re.finditer("=+", lines[first])]
        columns[-1] = (columns[-1][0], None)  # the last one may be longer than its rule
        head = [_cells(line, columns) for line in lines[first + 1 : second]]
        rows: list[list[str]] = []
        for line in lines[second + 1 : last]:
            cells = _cells(line, columns)
            if rows and not cells[0]:
                rows[-1] = [
                    f"{above} {cell}".strip() for above, cell in zip(rows[-1], cells, strict=True)
                ]
            else:
                rows.append(cells)
        table = [*head, ["---"] * len(columns), *rows]
        lines[first : last + 1] = ["| " + " | ".join(cells) + " |" for cells in table]
    return "\n".join(lines)


def _cells(line: str, columns: list[tuple[int, int | None]]) -> list[str]:
    return [line[start:end].strip().replace("|", r"\|") for start, end in columns]
