"""Every route of the native API."""

from typing import Final

from sojourn.web.native import meta, queries, wire
from sojourn.web.native.agent_routes import AGENTS
from sojourn.web.native.ask_routes import ASKS
from sojourn.web.native.budget_routes import BUDGETS
from sojourn.web.native.capability_routes import CAPABILITIES
from sojourn.web.native.event_routes import EVENTS
from sojourn.web.native.export_routes import EXPORTS
from sojourn.web.native.file_routes import FILES
from sojourn.web.native.input_routes import INPUTS
from sojourn.web.native.key_routes import KEYS
from sojourn.web.native.memory_routes import MEMORIES
from sojourn.web.native.model_routes import MODELS, PROVIDERS, SECRETS
from sojourn.web.native.org_routes import ORGS
from sojourn.web.native.route import AnyRoute, PublicRoute, Route
from sojourn.web.native.session_routes import SESSIONS
from sojourn.web.native.turn_routes import TURNS
from sojourn.web.native.webhook_routes import WEBHOOKS
from sojourn.web.native.worker_routes import WORKERS

PUBLIC: Final = (
    PublicRoute(
        path="/health",
        operation="get_health",
        summary="Whether the server answers",
        answer=wire.Health,
        handler=meta.health,
    ),
)


WHO: Final[tuple[AnyRoute, ...]] = (
    Route(
        method="GET",
        path="/me",
        operation="get_me",
        summary="Whose key this is",
        scope="self:read",
        handler=meta.me,
        query=queries.NoQuery,
        body=wire.Nothing,
        answers={200: wire.Me},
    ),
)

ROUTES: Final[tuple[AnyRoute, ...]] = (
    *WHO,
    *ORGS,
    *AGENTS,
    *CAPABILITIES,
    *MEMORIES,
    *SESSIONS,
    *INPUTS,
    *TURNS,
    *ASKS,
    *EVENTS,
    *FILES,
    *EXPORTS,
    *BUDGETS,
    *WORKERS,
    *KEYS,
    *WEBHOOKS,
    *PROVIDERS,
    *MODELS,
    *SECRETS,
)
