"""Draws what a request may hold; the same for the same seed."""

import random
from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any


class Chance(ABC):
    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    @abstractmethod
    def text(self) -> str:
        """One of the texts that a dialect might stumble over."""

    def of(self, choices: Iterable[Any]) -> Any:
        return self._random.choice(tuple(choices))

    def below(self, number: int) -> int:
        return self._random.randrange(number)

    def value(self, depth: int = 0) -> Any:
        match self.below(9):
            case 0:
                return None
            case 1:
                return self.of((True, False))
            case 2:
                return self.of((0, 1, -1, 2**31, 2**63, -(2**64), 1e308, 0.1))
            case 3 if depth < 3:
                return [self.value(depth + 1) for _ in range(self.below(4))]
            case 4 if depth < 3:
                return {self.text(): self.value(depth + 1) for _ in range(self.below(4))}
            case _:
                return self.text()
