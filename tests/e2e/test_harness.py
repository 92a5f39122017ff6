# SPDX-FileCopyrightText: The Waxwing authors
# SPDX-License-Identifier: Apache-2.0
"""The house of these tests."""

import collections
import pathlib
import re

from waxwing_e2e.programs import SOURCE_DIR

HERE = pathlib.Path(__file__).resolve().parent
BY_CMAKE = {"test_harness.py"}


def test_every_file_is_run_by_one_acceptance_script() -> None:
    run = collections.Counter(BY_CMAKE)
    for script in (SOURCE_DIR / "tests" / "acceptance").glob("[0-9]*-[0-9]*-*"):
        for line in script.read_text(encoding="utf-8").splitlines():
            if line.startswith("end_to_end "):
                run.update(re.findall(r"test_\w+\.py", line))
    assert run == collections.Counter(file.name for file in HERE.glob("test_*.py"))
