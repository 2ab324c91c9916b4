"""What a run found, as JSON for programs and as Markdown for people."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from bench.goals import Verdict
from bench.machine import Machine
from bench.sample import Sample

MEGABYTE = 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """Of one scenario. `notes` say what the figures cannot, such as why one is missing."""

    scenario: str
    samples: Sequence[Sample] = ()
    verdicts: Sequence[Verdict] = ()
    notes: Sequence[str] = field(default=())


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(row) + " |" for row in (head, ["---"] * len(head), *rows)]
    return "\n".join(lines)


def number(value: float | None) -> str:
    """Three significant digits, and all the digits of the integer part."""
    if value is None:
        return "-"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def verdict_row(verdict: Verdict) -> list[str]:
    goal = verdict.goal
    sign = "≤" if goal.sense == "at most" else "≥"
    return [
        goal.what,
        f"{sign} {number(goal.limit)} {goal.unit}".rstrip(),
        number(verdict.measured),
        number(verdict.floor),
        number(verdict.ratio),
        verdict.text,
        goal.comparison,
    ]


def sample_row(sample: Sample) -> list[str]:
    latency = sample.latency
    return [
        sample.what,
        sample.server,
        f"{sample.operations:,}",
        number(sample.rate),
        *(number(each) for each in (latency.p50, latency.p90, latency.p99, latency.max)),
        number(sample.cpu_per_thousand),
        f"{sample.client_share:.0%}",
        f"{sample.foreign_share:.0%}",
        number(sample.rss_bytes / MEGABYTE),
        number(sample.statements),
        number(sample.commits),
        f"{sample.errors} {sample.first_error}".strip().replace("|", "/"),
    ]


VERDICT_HEAD = ("budget", "to reach", "measured", "floor", "ratio", "verdict", "for comparison")
SAMPLE_HEAD = (
    "work",
    "server",
    "operations",
    "rate /s",
    "p50 ms",
    "p90",
    "p99",
    "max",
    "server CPU-s/1k",
    "client, of a core",
    "others",
    "RSS MB",
    "statements each",
    "commits each",
    "errors",
)


def markdown(machine: Machine, found: Sequence[Findings]) -> str:
    parts = ", ".join(f"{name} {version}" for name, version in machine.parts.items())
    return "\n".join(
        [
            f"# Measured at {machine.commit}",
            "",
            (
                f"{machine.measured_at}, {machine.cores} x {machine.cpu}, {machine.memory_bytes / 1e9:.0f} GB, "
                f"Linux {machine.kernel}, data on {machine.filesystem}, fsync of 4 KB {machine.fsync_ms:.2f} ms, "
                f"load average before {machine.load_average:.1f}."
            ),
            f"Python {machine.python}, SQLite {machine.sqlite}, {parts}.",
            "Client and server share these cores.",
            "",
            table(VERDICT_HEAD, [verdict_row(each) for one in found for each in one.verdicts]),
            "",
            table(SAMPLE_HEAD, [sample_row(each) for one in found for each in one.samples]),
            "",
            *(f"- {one.scenario}: {note}" for one in found for note in one.notes),
            "",
        ]
    )


def write(path: Path, machine: Machine, found: Sequence[Findings]) -> None:
    """The JSON at `path` and the tables beside it."""
    document = {"machine": asdict(machine), "findings": [document_of(each) for each in found]}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    path.with_suffix(".md").write_text(markdown(machine, found))


def document_of(found: Findings) -> dict[str, object]:
    return {
        "scenario": found.scenario,
        "samples": [
            asdict(each) | {"rate": each.rate, "cpu_per_thousand": each.cpu_per_thousand}
            for each in found.samples
        ],
        "verdicts": [asdict(each) | {"ratio": each.ratio, "verdict": each.text} for each in found.verdicts],
        "notes": list(found.notes),
    }
