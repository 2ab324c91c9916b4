"""One measured stretch of work: what the clients saw and what it cost."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from bench import procfs
from bench.target import Counters, Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Percentiles:
    """Milliseconds."""

    p50: float
    p90: float
    p99: float
    max: float


def percentiles(latencies_ns: Sequence[int]) -> Percentiles:
    """By nearest rank; zeros for an empty sequence."""
    ordered = sorted(latencies_ns) or [0]

    def rank(share: float) -> float:
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] / 1e6

    return Percentiles(p50=rank(0.50), p90=rank(0.90), p99=rank(0.99), max=ordered[-1] / 1e6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """`operations` were done in `seconds`; CPU is user plus system time.

    The server's is its process tree's; foreign is what the machine spent on neither server nor client, kernel included.
    """

    server: str
    what: str
    operations: int
    seconds: float
    latency: Percentiles
    server_cpu_seconds: float
    client_cpu_seconds: float
    foreign_cpu_seconds: float
    rss_bytes: int
    errors: int = 0
    first_error: str = ""
    statements: float | None = None
    commits: float | None = None

    @property
    def rate(self) -> float:
        """Operations a second."""
        return self.operations / self.seconds if self.seconds else 0.0

    @property
    def cpu_per_thousand(self) -> float:
        """The server's CPU-seconds for 1,000 operations."""
        return self.server_cpu_seconds / self.operations * 1000 if self.operations else 0.0

    @property
    def client_share(self) -> float:
        """How much of one core the load generator took: near 1.0, it was the bottleneck."""
        return self.client_cpu_seconds / self.seconds if self.seconds else 0.0

    @property
    def foreign_share(self) -> float:
        """How much of one core others took: their load raises every figure here."""
        return self.foreign_cpu_seconds / self.seconds if self.seconds else 0.0


def middle(samples: Sequence[Sample]) -> Sample:
    """The one with the median cost to the server."""
    return sorted(samples, key=lambda each: each.cpu_per_thousand)[len(samples) // 2]


class Meter:
    """Reads the clocks before and after a stretch of work."""

    def __init__(self, target: Target, before: Counters | None) -> None:
        self._target = target
        self._before = before
        self._server = procfs.cpu_seconds(target.pid)
        self._busy = procfs.busy_seconds()
        self._client = time.process_time()
        self._started = time.perf_counter()

    async def stop(
        self,
        what: str,
        latencies_ns: Sequence[int],
        errors: Sequence[str] = (),
        operations: int | None = None,
    ) -> Sample:
        """`operations` defaults to the number of latencies."""
        seconds = time.perf_counter() - self._started
        client = time.process_time() - self._client
        server = procfs.cpu_seconds(self._target.pid) - self._server
        busy = procfs.busy_seconds() - self._busy
        rss = procfs.rss_bytes(self._target.pid)
        done = len(latencies_ns) if operations is None else operations
        after = await self._target.counters() if self._before else None
        counted = (self._before, after) if self._before and after and done else None
        return Sample(
            server=self._target.name,
            what=what,
            operations=done,
            seconds=seconds,
            latency=percentiles(latencies_ns),
            server_cpu_seconds=server,
            client_cpu_seconds=client,
            foreign_cpu_seconds=max(0.0, busy - server - client),
            rss_bytes=rss,
            errors=len(errors),
            first_error=errors[0] if errors else "",
            statements=(counted[1].statements - counted[0].statements) / done if counted else None,
            commits=(counted[1].commits - counted[0].commits) / done if counted else None,
        )


async def start_meter(target: Target) -> Meter:
    return Meter(target, await target.counters())
