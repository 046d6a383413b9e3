"""A Spark session: on this machine, on a cluster's master, or on a Spark Connect server."""

from __future__ import annotations

import os
import shutil
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from truenorth.spec.problems import Problem, TruenorthError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

APPLICATION = "truenorth"
LOCAL = "local[*]"
"""The master where none is named: this machine, all cores."""
OLDEST_JAVA = 17

DEFAULTS: Mapping[str, str] = {
    "spark.log.level": "ERROR",
    "spark.sql.caseSensitive": "true",  # 'Type' and 'type' are two columns of a log
    "spark.sql.execution.arrow.maxRecordsPerBatch": "65536",
    "spark.sql.session.timeZone": "UTC",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}
"""What a session of ours is given where the caller says nothing else."""


@contextmanager
def open_session(
    *, master: str | None = None, remote: str | None = None, settings: Mapping[str, str] | None = None
) -> Iterator[SparkSession]:
    """A session that is stopped at the end.

    ``master`` is a Spark master's URL (`LOCAL` by default), ``remote`` a Spark Connect server (``sc://host:port``)
    instead; ``settings`` are Spark's own and go before `DEFAULTS`. TruenorthError where both are named or Java is
    missing; ModuleNotFoundError where PySpark is.
    """
    from pyspark.sql import SparkSession

    if master and remote:
        hint = "name the one that runs the work"
        raise TruenorthError(
            [Problem(path="--master, --remote", expected="one of them", found=f"'{master}' and '{remote}'", hint=hint)]
        )
    wanted = {**DEFAULTS, **(settings or {})}
    builder = SparkSession.builder.appName(APPLICATION)
    if remote:
        builder = builder.remote(remote)
        wanted = {name: value for name, value in wanted.items() if name.startswith("spark.sql.")}
    else:
        require_java()
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        builder = builder.master(master or LOCAL)
    for name, value in wanted.items():
        builder = builder.config(name, value)
    with without_pandas():
        session = builder.getOrCreate()
    try:
        yield session
    finally:
        session.stop()


def require_java(environment: Mapping[str, str] = os.environ) -> None:
    """`TruenorthError` that names what to install where no Java can be found.

    >>> try:
    ...     require_java({"PATH": ""})
    ... except TruenorthError as error:
    ...     print(error.problems[0].hint[:59])
    install a Java runtime (Debian, Ubuntu: apt install openjdk
    """
    home = environment.get("JAVA_HOME")
    if (home and Path(home, "bin", "java").exists()) or shutil.which("java", path=environment.get("PATH", "")):
        return
    found = f"no java in JAVA_HOME ({home})" if home else "no 'java' on the PATH and no JAVA_HOME"
    hint = (
        "install a Java runtime (Debian, Ubuntu: apt install openjdk-17-jre-headless; macOS: brew install openjdk@17), "
        "or use a server that has one: --remote sc://HOST:15002"
    )
    raise TruenorthError([Problem(path="Java", expected=f"Java {OLDEST_JAVA} or newer", found=found, hint=hint)])


@contextmanager
def without_pandas() -> Iterator[None]:
    """Silence about the version of pandas, which PySpark looks at whenever Python is called and nothing here uses."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="PySpark does not yet fully support pandas", category=FutureWarning)
        yield
