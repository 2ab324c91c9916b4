"""Every dialect that sessions are made, read, messaged and ended through."""

from typing import Final

from tests.contract.matrix.agent_swarm import AgentSwarm
from tests.contract.matrix.agentcore import AgentCore
from tests.contract.matrix.everruns import Everruns
from tests.contract.matrix.kodexa import Kodexa
from tests.contract.matrix.membrane import Membrane
from tests.contract.matrix.native import Native
from tests.contract.matrix.voice import Voice

VOICES: Final[tuple[type[Voice], ...]] = (Native, Kodexa, AgentCore, AgentSwarm, Membrane, Everruns)
