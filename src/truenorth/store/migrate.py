"""The tables brought to the state that this program expects."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError

from truenorth.spec.problems import Problem, TruenorthError
from truenorth.store.database import Database, Turn

FOLDER = Path(__file__).with_name("migrations")


def revisions(database: Database) -> tuple[str | None, str]:
    """The revision of a database's tables, None where there are none, and the one that this program expects."""
    with database.reading() as connection:
        found = MigrationContext.configure(connection).get_current_revision()
    return found, ScriptDirectory(str(FOLDER)).get_current_head() or ""


def migrate(database: Database) -> None:
    """Run the migrations that are missing, in one transaction and one process at a time.

    Raises `TruenorthError` where the tables were made by a newer program.
    """
    scripts = ScriptDirectory(str(FOLDER))

    def missing(revision: Any, _context: object) -> Any:
        return scripts._upgrade_revs("head", revision)

    with database.writing(Turn.SCHEMA) as connection, EnvironmentContext(Config(), scripts, fn=missing) as environment:
        environment.configure(connection=connection, transactional_ddl=True)
        try:
            environment.run_migrations()
        except CommandError as error:
            found = f"those of revision {environment.get_context().get_current_revision()}, of a newer program"
            expected = f"tables of revision {scripts.get_current_head()} or older"
            hint = "upgrade Truenorth, or name another database"
            raise TruenorthError([Problem(path=database.name, expected=expected, found=found, hint=hint)]) from error
