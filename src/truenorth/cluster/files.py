"""Tables that the executors write: every bucket its own files, which appear together once all of them are there."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType

from truenorth.cluster.bucket import What
from truenorth.engine.replay import Replay
from truenorth.results import write_table
from truenorth.spec.problems import Problem, TruenorthError


class Staged:
    """Folders in which tables come to be; they take their names when `keep` has seen that all is there.

    A task that is run twice, because a worker was lost or slow, writes files of other names. Those that no finished
    task has reported are removed. Where `keep` is not reached nothing is left and an earlier result stays.
    """

    def __init__(self, folder: Path, tables: Sequence[What]) -> None:
        self._names = {name: folder / f"{name}.parquet" for name in tables}
        self.folders: Mapping[What, str] = {
            name: str(path.with_name(f".{path.name}.part")) for name, path in self._names.items()
        }

    def __enter__(self) -> Staged:
        for path in self.folders.values():
            shutil.rmtree(path, ignore_errors=True)
            Path(path).mkdir(parents=True)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for path in self.folders.values():
            shutil.rmtree(path, ignore_errors=True)

    def keep(self, written: Sequence[str], nothing: Replay) -> None:
        """Give the folders their names; ``written`` are the files of finished tasks.

        A table without any gets a file without rows. `TruenorthError` where a file is not to be seen from here.
        """
        missing = [path for path in written if not Path(path).exists()]
        if missing:
            found = f"{len(missing)} of {len(written)} files that workers wrote are not here, such as {missing[0]}"
            hint = "name a folder that all machines share, or one with a scheme: --out hdfs://..., s3a://..."
            expected = "a folder that driver and workers reach under the same name"
            raise TruenorthError([Problem(path="--out", expected=expected, found=found, hint=hint)])
        for name, path in self.folders.items():
            for file in Path(path).iterdir():
                if str(file) not in written:
                    file.unlink()
            if not any(Path(path).iterdir()):
                empty = getattr(nothing, name)
                write_table(partial(iter, [empty]), Path(path, "part-none.parquet"), "parquet")
            target = self._names[name]
            if target.is_dir():
                shutil.rmtree(target)
            target.unlink(missing_ok=True)
            Path(path).replace(target)
