"""Which language model the demo uses, and getting it ready."""

from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sojourn.cli.screen import console, one_line

if TYPE_CHECKING:
    from collections.abc import Generator

    from sojourn.runners.llama import Progress, ProgressListener

# The smallest model of each provider whose library the extra `agents` brings, by the variable that holds its key.
PROVIDERS: Final[Mapping[str, str]] = {
    "ANTHROPIC_API_KEY": "anthropic/claude-haiku-5-5",
    "OPENAI_API_KEY": "openai/gpt-6-luna",
    "GOOGLE_API_KEY": "google/gemini-3.5-flash-lite",
    "GEMINI_API_KEY": "google/gemini-3.5-flash-lite",
}


@dataclass(frozen=True, slots=True)
class DemoModel:
    """`name` as the server knows it. `words` introduce it; `caveat` says what not to expect of it."""

    name: str
    words: str
    caveat: str = ""
    is_simulated: bool = False


LOCAL: Final = DemoModel(
    "local/smollm2",
    "SmolLM2, 135 million parameters, on this machine",
    "The model is a tiny one: its answers are often wrong. Nothing else here is a toy.",
)
SIMULATED: Final = DemoModel(
    "sim/echo",
    "simulated: it repeats what it hears",
    "No language model was at work: the answers are simulated.",
    is_simulated=True,
)


def choose_model(wanted: str | None, environment: Mapping[str, str]) -> DemoModel:
    """The wanted one, or one of a provider whose key is in the environment, or the local one."""
    if wanted is not None:
        known = {LOCAL.name: LOCAL, SIMULATED.name: SIMULATED}
        return known.get(wanted, DemoModel(wanted, "as asked for"))
    for variable, name in PROVIDERS.items():
        if environment.get(variable):
            return DemoModel(name, f"paid by {variable}; `--model {LOCAL.name}` costs nothing")
    return LOCAL


async def prepare(model: DemoModel, cache_dir: Path) -> DemoModel:
    """The model, fetched if it is a local one and proved to start; the simulated one where that cannot be."""
    if model.name != LOCAL.name:
        return model
    from sojourn.runners.llama import LocalModel, LocalModelUnavailable

    try:
        with _progress() as listener:
            async with LocalModel(cache_dir, listener):
                return model
    except LocalModelUnavailable as error:
        console(stderr=True).print(f"[yellow]no local model:[/] {one_line(str(error), 300)}", markup=True)
        return SIMULATED


@contextmanager
def _progress() -> "Generator[ProgressListener]":
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("  {task.description:<10}"), BarColumn(), TextColumn("{task.fields[amount]}"))
    out = console(stderr=True)
    with Bars(*columns, console=out, transient=True, disable=not out.is_terminal) as bars:
        task = bars.add_task("starting", total=None, amount="")

        def listen(progress: "Progress") -> None:
            done, total = progress.done_bytes, progress.total_bytes
            amount = f"{done / 1e6:.0f} of {total / 1e6:.0f} MB" if total else ""
            bars.update(task, description=progress.stage, completed=done, total=total or None, amount=amount)

        yield listen
