"""Names that people give to themes: a file that is written once and edited, and fits themes that are learnt anew.

.. code-block:: yaml

    themes:
      - {name: The line is dead, terms: [line, down, dead]}
"""

from __future__ import annotations

from collections.abc import Sequence
from io import StringIO

import msgspec
from ruamel.yaml import YAML

from truenorth.insight.voice import Theme
from truenorth.insight.yaml_text import read_yaml


class _Named(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    terms: tuple[str, ...]


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    themes: tuple[_Named, ...]


def parse_theme_names(text: str, where: str) -> dict[str, Sequence[str]]:
    """Names and the terms that they stand for; TruenorthError where the file cannot be read.

    >>> parse_theme_names("themes: [{name: Slow, terms: [slow, internet]}]", "names.yaml")
    {'Slow': ('slow', 'internet')}
    """
    expected = "themes: a list of {name: ..., terms: [...]}"
    file = read_yaml(text, _File, where, expected, "write one with --write-names and edit the names in it")
    return {one.name: one.terms for one in file.themes}


def write_theme_names(themes: Sequence[Theme]) -> str:
    """The text of a file with the names as they are, to be edited."""
    out = StringIO()
    yaml = YAML()
    yaml.width = 1000
    yaml.dump({"themes": [{"name": one.name, "terms": list(one.terms)} for one in themes]}, out)
    return out.getvalue()
