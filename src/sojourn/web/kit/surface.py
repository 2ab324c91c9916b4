"""A surface: routes with one translator of errors around them, as an ASGI application."""

import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from starlette.types import Receive, Scope, Send

from sojourn.domain.errors import DomainError
from sojourn.web.kit.problems import Problems
from sojourn.web.kit.refusals import ClientGone, RequestRefused
from sojourn.web.kit.request import Request
from sojourn.web.kit.response import Reply, Response
from sojourn.web.kit.router import Endpoint, Router

R = TypeVar("R", bound=Reply)

logger = logging.getLogger(__name__)


class Surface:
    """Finds the endpoint, runs it, writes its reply; whatever is raised is answered in the surface's own shape."""

    def __init__(self, routes: Iterable[tuple[str, str, Endpoint]], problems: Problems) -> None:
        self._router = Router(routes)
        self._problems = problems

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            reply = await answered(self._route, request, self._problems)
        except ClientGone:
            return
        await reply.write(request, send)

    async def _route(self, request: Request) -> Reply:
        return await self._router.find(request)(request)


async def answered(
    endpoint: Callable[[Request], Awaitable[R]], request: Request, problems: Problems
) -> R | Response:
    """What `endpoint` replies; what it raises is told in the surface's own shape. ClientGone has nobody to be told."""
    try:
        return await endpoint(request)
    except (DomainError, RequestRefused) as error:
        return problems.answer(error, request.id, request.scope["path"])
    except ClientGone:
        raise
    except Exception as error:
        logger.exception("request %s failed", request.id)
        return problems.answer(error, request.id, request.scope["path"])
