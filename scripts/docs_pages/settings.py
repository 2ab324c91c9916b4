"""docs/reference/settings.md: every setting under each of its names, and every other variable that is read."""

from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Final

from scripts.docs_pages.markdown import code, compose, table
from sojourn.cli.demo_model import PROVIDERS
from sojourn.cli.serve import command as serve
from sojourn.config import FILE_NAME, PREFIX, SECRET_NAMES, Settings

MEANINGS: Final[Mapping[str, str]] = {
    "host": "The address to listen at.",
    "port": "The port; 0 takes a free one.",
    "data_dir": "The SQLite file, the key file, what the commands of the same user need, and downloaded weights.",
    "database_url": "A Postgres to use instead of SQLite: `postgresql://user:password@host/database`.",
    "default_model": "The model of agents that name none. `sim/echo` is simulated: it repeats what it hears.",
    "secret_key": "Seals the secrets that the server must read. Without it a key is made in `secret.key` of the data"
    " directory. Processes that share a database need the same one.",
    "bootstrap_key": "Taken as an admin key of the default organisation, so that an unattended start has one.",
    "bootstrap_workspace_key": "A Membrane workspace of the default organisation.",
    "bootstrap_workspace_secret": "The secret that the workspace's JWTs are signed with; it is stored sealed.",
    "bootstrap_workspace_public_key": "The public key, as a PEM, for JWTs that are signed with a private one.",
    "worker_capacity": "Turns that the embedded worker runs side by side; 0 runs none.",
    "stop_seconds": "How many seconds the next turn of a session waits for a step that was stopped to end.",
    "allow_commands": "`true` lets agents of the `acp` runner name a command of their own, which runs on the server's"
    " machine with the server's rights. Without it they choose among the ready-made ones.",
    "private_webhooks": "`true` lets webhooks be at addresses of this machine and of its private network.",
    "private_agents": "`true` lets apps of agents with the runner `http`, and stored providers, be at such addresses.",
    "max_streams": "Streams that one organisation may hold of this process at once; further ones get 429.",
    "allow_shell": "`true` lets agents have the capability `shell`: commands in a sandbox of this machine, if one works"
    " here (`sojourn capabilities shell` says which). Of a worker elsewhere it is that worker's own setting too.",
    "private_mcp": "`true` lets agents have MCP servers (`mcp_http`) at private addresses.",
    "private_fetch": "`true` lets the tool `fetch` ask such addresses, for whoever talks to an agent that has it.",
    "max_body_bytes": "The largest body of a request, in bytes.",
    "counters_file": "Where SIGUSR1 writes the counters of the process, as JSON.",
}

# Variables that are no settings of the server: who reads them, and for what.
OTHERS: Final[Mapping[str, tuple[str, str]]] = {
    "SOJOURN_URL": ("commands", "The server to talk to, where it is not the local one."),
    "SOJOURN_KEY": ("commands", "The key to talk to it with."),
    "SOJOURN_OPENAI_COMPATIBLE_URL": (
        "server",
        "An OpenAI-compatible server's base URL, with its `/v1`: the models `openai-compatible/NAME`.",
    ),
    "SOJOURN_OPENAI_COMPATIBLE_KEY": ("server", "Its key, if it needs one."),
    "NO_COLOR": ("commands", "Set to anything, output has no colour."),
    "XDG_CACHE_HOME": (
        "`sojourn demo`",
        "Where downloaded weights are kept between demos; `~/.cache` without it.",
    ),
}


def page() -> str:
    return compose(
        "Settings",
        "src/sojourn/config.py",
        f"A setting comes from an option of `sojourn serve`, else from the environment, else from `{FILE_NAME}` in the"
        " directory that the server is started in, else it has its default. An unknown name in the file and a value"
        " that cannot be used end the start with a sentence.",
        table(["setting in the file", "environment", "option", "default", "meaning"], _rows()),
        f"{_list(SECRET_NAMES)} are secrets. They have no option, because other users of a machine can read a command"
        " line.",
        "## Other variables",
        table(
            ["environment", "read by", "meaning"],
            ([code(name), reader, meaning] for name, (reader, meaning) in OTHERS.items()),
        ),
        "Providers' own libraries read their credentials under their own names. `sojourn demo` looks for these, in this"
        " order, and uses the local model where it finds none:",
        table(
            ["environment", "model of the demo"],
            ([code(name), code(model)] for name, model in PROVIDERS.items()),
        ),
    )


def _rows() -> list[list[str]]:
    options = {parameter.name: parameter.opts[0] for parameter in serve.params}
    return [
        [
            code(field.name),
            code(f"{PREFIX}{field.name.upper()}"),
            code(options[field.name]) if field.name in options else "",
            "" if field.default in (None, MISSING) else code(str(field.default)),
            MEANINGS[field.name],
        ]
        for field in fields(Settings)
    ]


def _list(names: tuple[str, ...]) -> str:
    *most, last = (code(name) for name in names)
    return f"{', '.join(most)} and {last}"
