"""Break MailOps on purpose, one way at a time, and see that a test notices: `make mutations`.

Everything happens in a copy. The named tests must pass before a mutation and fail with it.
`mutants.py` has the list.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.faults.mutants import MUTATIONS, Mutation

ROOT = Path(__file__).resolve().parents[2]
LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv*", "var", "__pycache__", ".*_cache", ".hypothesis", ".env"
)
PATIENCE = 300  # seconds for the tests of one mutation, on a busy machine


class Copy:
    """A copy of the working tree, in which the tests run and files are broken and mended."""

    def __init__(self, folder: Path) -> None:
        self.tree = folder / "tree"
        shutil.copytree(ROOT, self.tree, ignore=LEFT_OUT)
        kept = {
            name: value
            for name, value in os.environ.items()
            if name not in ("PYTHONPATH", "DATABASE_URL")
        }
        # No byte code: two edits within a second can leave files of one age and size.
        self.env = kept | {
            "MAILOPS_ENV_FILE": os.devnull,
            "MAILOPS_LIVE": "0",
            "PYTHONDONTWRITEBYTECODE": "1",
            "MAILOPS_DATA": str(folder / "data"),
            "COLUMNS": "300",
        }

    def failing(self, tests: tuple[str, ...]) -> tuple[set[str], str]:
        """Which of the tests fail, and what was said.

        Raises SystemExit where they can't be run at all.
        """
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "no:cacheprovider",
            "--tb=line",
            "-rf",
            "--color=no",
            *tests,
        ]
        try:
            done = subprocess.run(
                command, cwd=self.tree, env=self.env, capture_output=True, text=True, timeout=PATIENCE
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return set(), f"they did not end within {PATIENCE} seconds"
        said = done.stdout + done.stderr
        if done.returncode not in (0, 1):
            raise SystemExit(f"The tests could not be run:\n{said}")
        failed = re.findall(r"^FAILED (.+)$", done.stdout, re.M)
        return {test for test in tests if any(line.startswith(test) for line in failed)}, said

    def apply(self, mutation: Mutation) -> dict[Path, str]:
        """Make the edits; what the files held before.

        Raises SystemExit where an old text is not there just once.
        """
        before: dict[Path, str] = {}
        for name, old, new in mutation.edits:
            path = self.tree / name
            text = path.read_text()
            before.setdefault(path, text)
            if text.count(old) != 1:
                raise SystemExit(
                    f"“{mutation.name}”: the text stands {text.count(old)} times in {name}:\n{old}"
                )
            path.write_text(text.replace(old, new))
        return before

    def is_noticed(self, mutation: Mutation) -> tuple[bool, str]:
        before = self.apply(mutation)
        try:
            failed, said = self.failing(mutation.caught_by)
        finally:
            for path, text in before.items():
                path.write_text(text)
        missed = [test for test in mutation.caught_by if test not in failed]
        return not missed, f"these did not fail: {', '.join(missed)}\n{said}" if missed else ""


def main() -> int:
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="mailops-mutations-") as folder:
        copy = Copy(Path(folder))
        everything = tuple(
            dict.fromkeys(test for mutation in MUTATIONS for test in mutation.caught_by)
        )
        print(
            f"{len(MUTATIONS)} mutations. First the {len(everything)} tests without any …",
            flush=True,
        )
        failed, said = copy.failing(everything)
        if failed or " passed" not in said:
            print(f"The tests must pass first:\n{said}")
            return 1
        width = max(len(mutation.name) for mutation in MUTATIONS)
        print(f"{'mutation':{width}}  {'promise':7}  {'result':8}  caught by")
        missed = 0
        for mutation in MUTATIONS:
            noticed, why = copy.is_noticed(mutation)
            missed += not noticed
            by = ", ".join(test.rpartition("::")[2] for test in mutation.caught_by)
            print(
                f"{mutation.name:{width}}  {mutation.promise:7} "
                f" {'noticed' if noticed else 'MISSED':8}  {by}"
            )
            if why:
                print(why)
            sys.stdout.flush()
        print(
            f"{len(MUTATIONS) - missed} of {len(MUTATIONS)} noticed in"
            f" {time.monotonic() - started:.0f} s."
        )
        return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
