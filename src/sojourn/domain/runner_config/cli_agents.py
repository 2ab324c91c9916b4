"""Ready-made agents that speak the Agent Client Protocol (agentclientprotocol.com): how each is started."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class CliAgent:
    """`command` speaks the protocol on its standard streams; its first word is looked up on the server's PATH.

    `passes` are the variables of the server's environment that it is given, `needs` those of which one must be set
    unless the program was logged in by hand with `login`. `logins` says by which of the protocol's methods a program is
    logged in with which of them, if it does not take its key by itself. `loads` says whether it goes on with a session
    of its own after it was started anew; what it says itself when it is started is what counts.
    """

    name: str
    title: str
    command: tuple[str, ...]
    install: str
    login: str
    loads: bool
    passes: tuple[str, ...]
    needs: tuple[str, ...] = ()
    logins: Mapping[str, str] = field(default_factory=dict[str, str])
    note: str = ""


_CLAUDE: Final = CliAgent(
    name="claude-code",
    title="Claude Code",
    command=("claude-agent-acp",),
    install="npm install -g @agentclientprotocol/claude-agent-acp",
    login="claude /login",
    loads=True,
    needs=("ANTHROPIC_API_KEY", "CLAUDE_CODE_OAUTH_TOKEN", "ANTHROPIC_AUTH_TOKEN"),
    passes=(
        "ANTHROPIC_API_KEY",
        "ANTHROPIC_AUTH_TOKEN",
        "ANTHROPIC_BASE_URL",
        "ANTHROPIC_MODEL",
        "CLAUDE_CODE_EXECUTABLE",
        "CLAUDE_CODE_OAUTH_TOKEN",
        "CLAUDE_CONFIG_DIR",
    ),
    note="The adapter brings its own Claude Code.",
)
_CODEX: Final = CliAgent(
    name="codex",
    title="Codex",
    command=("codex-acp",),
    install="npm install -g @agentclientprotocol/codex-acp",
    login="codex login",
    loads=True,
    needs=("CODEX_API_KEY", "OPENAI_API_KEY"),
    logins={"CODEX_API_KEY": "api-key", "OPENAI_API_KEY": "api-key"},
    passes=(
        "CODEX_API_KEY",
        "CODEX_CONFIG",
        "CODEX_HOME",
        "CODEX_PATH",
        "INITIAL_AGENT_MODE",
        "MODEL_PROVIDER",
        "NO_BROWSER",
        "OPENAI_API_KEY",
        "OPENAI_BASE_URL",
    ),
    note="The adapter brings its own Codex.",
)
_GEMINI: Final = CliAgent(
    name="gemini",
    title="Gemini CLI",
    command=("gemini", "--acp"),
    install="npm install -g @google/gemini-cli",
    login="gemini",
    loads=True,
    needs=("GEMINI_API_KEY", "GOOGLE_API_KEY"),
    logins={"GEMINI_API_KEY": "gemini-api-key", "GOOGLE_API_KEY": "vertex-ai"},
    passes=(
        "GEMINI_API_KEY",
        "GEMINI_MODEL",
        "GOOGLE_API_KEY",
        "GOOGLE_APPLICATION_CREDENTIALS",
        "GOOGLE_CLOUD_LOCATION",
        "GOOGLE_CLOUD_PROJECT",
        "GOOGLE_GENAI_USE_VERTEXAI",
    ),
    note="Releases before 0.33 call the flag `--experimental-acp`. `GEMINI_MODEL` chooses the model.",
)
_OPENCODE: Final = CliAgent(
    name="opencode",
    title="OpenCode",
    command=("opencode", "acp"),
    install="npm install -g opencode-ai",
    login="opencode auth login",
    loads=True,
    passes=(
        "ANTHROPIC_API_KEY",
        "GEMINI_API_KEY",
        "GROQ_API_KEY",
        "OPENAI_API_KEY",
        "OPENCODE_API_KEY",
        "OPENCODE_CONFIG",
        "OPENCODE_CONFIG_CONTENT",
        "OPENCODE_CONFIG_DIR",
        "OPENCODE_DISABLE_AUTOUPDATE",
        "OPENCODE_DISABLE_MODELS_FETCH",
        "OPENROUTER_API_KEY",
    ),
    note="It asks for permission where its own configuration says `ask`; by default it allows most tools.",
)
_GOOSE: Final = CliAgent(
    name="goose",
    title="Goose",
    command=("goose", "acp"),
    install="see https://block.github.io/goose: a release of its own, or `brew install block-goose-cli`",
    login="goose configure",
    loads=True,
    passes=(
        "ANTHROPIC_API_KEY",
        "DATABRICKS_HOST",
        "DATABRICKS_TOKEN",
        "GOOGLE_API_KEY",
        "GOOSE_MODE",
        "GOOSE_MODEL",
        "GOOSE_PROVIDER",
        "OPENAI_API_KEY",
        "OPENAI_HOST",
        "OPENROUTER_API_KEY",
    ),
    note="`GOOSE_PROVIDER` and `GOOSE_MODEL` choose the model; releases from 1.8 speak the protocol.",
)

CLI_AGENTS: Final[Mapping[str, CliAgent]] = {
    agent.name: agent for agent in (_CLAUDE, _CODEX, _GEMINI, _OPENCODE, _GOOSE)
}
