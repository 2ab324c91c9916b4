"""The page about exported sessions is all that somebody needs who writes a verifier."""

import runpy
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from sojourn.domain.export import GENESIS
from tests.docs.test_examples import blocks
from tests.unit.domain.exported import HARMS, exported, verified

ROUNDS = 600


@pytest.fixture(scope="module")
def head_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[list[bytes]], str]:
    (program,) = blocks("docs/exports.md", "python")
    path = tmp_path_factory.mktemp("docs") / "verifier.py"
    path.write_text(program, encoding="utf-8")
    return runpy.run_path(str(path))["head_of"]


@pytest.mark.parametrize("log", [{}, {"first_seq": 7}, {"has_files": False}, {"events": 1}])
def test_the_verifier_of_the_docs_agrees_with_ours(
    head_of: Callable[[list[bytes]], str], log: dict[str, Any]
) -> None:
    lines = exported(**log)
    assert head_of(lines) == verified(lines)[1].head != GENESIS


def test_the_verifier_of_the_docs_finds_every_harm_to_a_file(head_of: Callable[[list[bytes]], str]) -> None:
    random, found = Random(3), dict.fromkeys(HARMS, 0)
    for _ in range(ROUNDS):
        lines = exported(random.randint(1, 8))
        before, harm = list(lines), random.choice(HARMS)
        harm(random, lines)
        if lines == before:
            continue
        with pytest.raises((AssertionError, ValueError, LookupError, TypeError, AttributeError)):
            head_of(lines)
        found[harm] += 1
    assert min(found.values()) > ROUNDS / len(HARMS) / 3, found
