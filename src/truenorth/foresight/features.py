"""Features of cases at instants: one definition for training and live (docs/foresight-features.md)."""

from truenorth.foresight.columns import columns_of
from truenorth.foresight.encoding import Instants, encode, latest, rows_at
from truenorth.foresight.histories import Histories, histories_of
from truenorth.foresight.labels import Label
from truenorth.foresight.load import Load, load_of, moves_of
from truenorth.foresight.tables import (
    histories_of_replay,
    in_order,
    load_of_replay,
    table_of_log,
    table_of_replay,
    vocabulary_of_log,
    vocabulary_of_replay,
)
from truenorth.foresight.vocabulary import Category, Number, Vocabulary

__all__ = [
    "Category",
    "Histories",
    "Instants",
    "Label",
    "Load",
    "Number",
    "Vocabulary",
    "columns_of",
    "encode",
    "histories_of",
    "histories_of_replay",
    "in_order",
    "latest",
    "load_of",
    "load_of_replay",
    "moves_of",
    "rows_at",
    "table_of_log",
    "table_of_replay",
    "vocabulary_of_log",
    "vocabulary_of_replay",
]
