"""What an agent says to its runner. Each runner's module reads that purely, and refuses what it cannot use."""

from sojourn.domain.agent import AgentSpec
from sojourn.domain.runner_config.acp import read_acp
from sojourn.domain.runner_config.external import read_external
from sojourn.domain.runner_config.http import read_http


def check_runner_config(spec: AgentSpec, *, allow_commands: bool) -> None:
    """InvalidRequest, with the place below `runner_config`, unless the agent's runner can use what it says.

    `allow_commands` lets it name programs of the client's own, which run on the server's machine.
    """
    match spec.runner:
        case "acp":
            read_acp(spec.runner_config, allow_commands=allow_commands)
        case "http":
            read_http(spec.runner_config)
        case "external":
            read_external(spec.runner_config)
        case "model":
            pass
