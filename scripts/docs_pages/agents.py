"""docs/agents.md: programs as agents, from the definitions that the server ships."""

from scripts.docs_pages.markdown import code, codes, compose, table
from sojourn.domain.runner_config.acp import AcpConfig
from sojourn.domain.runner_config.cli_agents import CLI_AGENTS, CliAgent
from sojourn.runners.acp.live import CANCEL_SECONDS, MOST_IDLE
from sojourn.runners.acp.process import COMMON_VARIABLES
from sojourn.runners.acp.runner import MOST_RUNNING
from sojourn.runners.acp.workspace import LARGEST_FILE_BYTES, MOST_FILES

_DEFAULTS = AcpConfig(agent="opencode")


def page() -> str:
    return compose(
        "Programs as agents",
        "src/sojourn/domain/runner_config/cli_agents.py",
        "An agent of the runner `acp` is a program that speaks the"
        " [Agent Client Protocol](https://agentclientprotocol.com) on its standard streams: a coding CLI, mostly. The"
        " server starts it, sends it what is said to the session, and writes down what it does. It runs on the"
        " server's machine, with the rights of the server's user.",
        "```console\n$ pip install 'sojourn[acp]' && npm install -g opencode-ai\n$ sojourn serve &\n"
        "$ sojourn agents available\n$ sojourn agents add opencode\n$ sojourn chat --agent opencode\n```",
        table(
            ["agent", "command", "install", "log in", "or set one of", "loads its sessions"],
            [_row(agent) for agent in CLI_AGENTS.values()],
        ),
        "\n".join(f"- {agent.title}: {agent.note}" for agent in CLI_AGENTS.values() if agent.note),
        "## runner_config",
        table(["field", "what it says", "default"], _fields()),
        "`command`, `env` and `cwd` are refused unless the setting `allow_commands` is on: each of them is as good as"
        " a command of the client's own choosing. What a ready-made agent may be logged in with can be set without it,"
        ' by reference: `"env": {"ANTHROPIC_API_KEY": "secret://NAME"}`.',
        "A value of `env` may be `secret://NAME`, a secret that the organisation has stored. It is looked up when the"
        " program is started, is in no answer, log or export, and is taken out of the errors that quote the program;"
        " what the program itself says and writes is the agent's own. A program that runs keeps the value that it was"
        " started with. One that begins with `env:` is that variable of the server's environment; of those that begin"
        " with `SOJOURN_` only `SOJOURN_AGENT_…` are given to anybody.",
        "## What a program is given",
        f"Its environment holds {codes(COMMON_VARIABLES)} where the server has them, and of a ready-made agent:",
        table(["agent", "variables"], [[agent.name, codes(agent.passes)] for agent in CLI_AGENTS.values()]),
        "Its directory is one of the session's own, `programs/ORGANISATION/SESSION` in the data directory. Before a"
        " turn the session's files are laid out in it; after the turn what the program changed there is in"
        " the session's"
        f" files, up to {MOST_FILES} of them and {LARGEST_FILE_BYTES // 1024} KB each, without version control and"
        " installed packages. What it removes there is removed from the session's files as well. When the session"
        " is deleted its directory goes within a minute. Through the protocol"
        " it reads and writes text files of that directory and no others."
        " Terminals are not offered: the program runs its own commands.",
        "## What the log says",
        "The text up to a tool call is one message, and what follows the results of all the calls is the next. A call"
        " is `tool.requested` when the program tells of it, `tool.started` when it runs, and has one result."
        " `thought.recorded` and `plan.changed` are what the program thinks aloud and plans."
        " `usage.recorded` has the tokens and the cost that the program reports;"
        " what it does not report is not guessed.",
        "What the program asks before it runs a tool is an approval, held while the program waits. A rule of the"
        " agent's"
        " or the session's `tool_policy` decides instead, by the tool's name, its title or its kind (`read`, `edit`,"
        " `delete`, `move`, `search`, `execute`, `fetch`, `other`), or `*`; where there is no rule somebody is"
        " asked. The"
        ' ask\'s prompt has the program\'s own `options`, one of which may be the answer: `{"option": "id"}`. Decided'
        " for good, the program gets its own option for that. What a program runs without asking the log hears of when"
        " the program tells.",
        "A steer is read when the program has answered, within the same turn. An interrupt or a cancelled turn asks the"
        f" program to stop; one that has not after {CANCEL_SECONDS:g} s is killed with everything that it started.",
        "## When something is lost",
        "The program's own session id is in the log (`provider_session.linked`) before the first prompt. Whoever claims"
        " the turn after a crash starts the program and has it go on with that session. Calls that were under way have"
        " the result `unknown: worker lost`. If none had been made the prompt is put again; otherwise the program is"
        " told what became of each, and to go on. A question stays open without a program, and without cost, until"
        " somebody decides; a call that was allowed meanwhile is not asked about again.",
        "A program that cannot load its session gets a new one which is told what was said so far, and the event says"
        " why"
        " (`reason`); with `resume: strict` the turn fails instead. A fork has a new session of the program, and a"
        " directory of its own.",
        f"After a turn the program is kept for the next one, {_DEFAULTS.idle_seconds:g} s by default and {MOST_IDLE}"
        f" programs at most; {MOST_RUNNING} answer at the same time, further turns wait as `starting`. When the server"
        " ends, however it does, every program ends with it, and everything that these have started.",
    )


def _row(agent: CliAgent) -> list[str]:
    install = code(agent.install) if agent.install.startswith("npm") else agent.install
    return [
        f"{agent.title}: {code(agent.name)}",
        code(" ".join(agent.command)),
        install,
        code(agent.login),
        codes(agent.needs) or "none",
        "yes" if agent.loads else "no",
    ]


def _fields() -> list[list[str]]:
    return [
        [code("agent"), "One of those above.", ""],
        [code("command"), "The words of a program of your own, instead.", ""],
        [code("env"), "Variables that it is given besides.", code("{}")],
        [code("cwd"), "A directory to work in, which is not mirrored.", "the session's own"],
        [code("resume"), "`replay` or `strict`: see below.", code(_DEFAULTS.resume)],
        [code("start_seconds"), "How long it may take to be ready.", f"{_DEFAULTS.start_seconds:g}"],
        [
            code("held_seconds"),
            "How long it waits for a decision before it is ended, and the turn waits on without it.",
            f"{_DEFAULTS.held_seconds:g}",
        ],
        [code("idle_seconds"), "How long it is kept after a turn.", f"{_DEFAULTS.idle_seconds:g}"],
    ]
