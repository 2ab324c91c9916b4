"""Everruns as an application."""

from typing import Final

from sojourn.service.core import Services
from sojourn.web.dialects.everruns import session_facet
from sojourn.web.dialects.everruns.capabilities import Capabilities
from sojourn.web.dialects.everruns.errors import PROBLEMS
from sojourn.web.dialects.everruns.log.stream import CYCLE_SECONDS
from sojourn.web.dialects.everruns.routes import (
    agents,
    answers,
    budgets,
    catalogue,
    channels,
    events,
    export,
    forks,
    messages,
    overview,
    pins,
    secrets,
    sessions,
    sse,
    turns,
    workspaces,
)
from sojourn.web.dialects.everruns.server import Server
from sojourn.web.kit.sse import Heart
from sojourn.web.kit.surface import Surface

# The shipped client's default base ends in `/api`, and a self-hosted server's need not.
PREFIXES: Final = ("/v1", "/api/v1")

RESOURCES: Final = (
    sessions,
    overview,
    messages,
    turns,
    events,
    sse,
    pins,
    secrets,
    export,
    forks,
    agents,
    budgets,
    catalogue,
    channels,
    workspaces,
    answers,
)


def build_everruns(
    services: Services, heart: Heart, max_body_bytes: int, cycle_seconds: float = CYCLE_SECONDS
) -> Surface:
    """The dialect as an application, which sees its paths below either prefix."""
    services.children.inherit(session_facet.DIALECT, session_facet.of_child)
    server = Server(services, Capabilities(services.catalogue), heart, max_body_bytes, cycle_seconds)
    return Surface([route for resource in RESOURCES for route in resource.routes(server)], PROBLEMS)
