"""What the players were told, to be held against what the log says."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass
class Witness:
    """The words of the writes that were acknowledged and of those that were refused, and what each key was told.

    `decided` are the acknowledged decisions, each as its ask's id and what was decided.
    """

    acknowledged: list[str] = field(default_factory=list[str])
    refused: list[str] = field(default_factory=list[str])
    inputs: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    decided: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    verbs: int = 0


def told_twice(witnesses: Iterable[Witness]) -> list[str]:
    """The idempotency keys that stood for more than one input."""
    by_key: dict[str, set[str]] = defaultdict(set)
    for witness in witnesses:
        for key, inputs in witness.inputs.items():
            by_key[key].update(inputs)
    return [f"key {key} stands for inputs {inputs}" for key, inputs in by_key.items() if len(inputs) > 1]
