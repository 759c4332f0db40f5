"""Templates and assets of this package -> HTML. Every value that a template prints is escaped."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup


def render(template: str, **view: object) -> str:
    """The text of ``templates/<template>`` with the names of ``view`` filled in."""
    return _environment().get_template(template).render(view)


@cache
def _environment() -> Environment:
    # Imported late: only this command needs it.
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("wsol.report"),
        # Always on: the rule by file name (`select_autoescape`) does not know `.html.jinja`.
        autoescape=True,
        # A misspelled name in a template is an error, not an empty place on the page.
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals["asset"] = _asset
    return environment


def _asset(name: str) -> Markup:
    """A file of ``assets/`` as it is: the style sheet and the script stand inside the page."""
    from markupsafe import Markup

    return Markup((files("wsol.report") / "assets" / name).read_text(encoding="utf-8"))
