"""Budgets: what sessions may use up, and their ledgers."""

from collections.abc import Sequence
from typing import Final

from msgspec import UNSET

from sojourn.domain.budget import Budget, Verdict
from sojourn.domain.errors import NotFound
from sojourn.domain.ids import BudgetId, OrgId
from sojourn.service.results import Result
from sojourn.web.dialects.everruns import budgets, ids
from sojourn.web.dialects.everruns.server import Caller, Routes, Server
from sojourn.web.dialects.everruns.wire import budget as wire
from sojourn.web.kit.auth import Scope
from sojourn.web.kit.body import JsonBody, read_body
from sojourn.web.kit.idempotency import repeat, replayed
from sojourn.web.kit.query import Query
from sojourn.web.kit.request import Request
from sojourn.web.kit.response import NO_CONTENT, Response, json_response

_NEW: Final = JsonBody(wire.NewBudget)
_CHANGE: Final = JsonBody(wire.BudgetChange)
_TOP_UP: Final = JsonBody(wire.TopUp)
_LIST: Final = Query(wire.BudgetList)
_LEDGER: Final = Query(wire.LedgerPage)
# The lists have no pages.
MOST_LISTED: Final = 1_000


def routes(server: Server) -> Routes:
    budgets = _Budgets(server)
    return [
        ("POST", "/budgets", budgets.create),
        ("GET", "/budgets", budgets.page),
        ("GET", "/budgets/{budget}", budgets.get),
        ("PATCH", "/budgets/{budget}", budgets.change),
        ("DELETE", "/budgets/{budget}", budgets.disable),
        ("POST", "/budgets/{budget}/top-up", budgets.top_up),
        ("GET", "/budgets/{budget}/ledger", budgets.ledger),
        ("GET", "/budgets/{budget}/check", budgets.check),
        ("GET", "/sessions/{session}/budgets", budgets.of_session),
        ("GET", "/sessions/{session}/budget-check", budgets.check_session),
        ("POST", "/sessions/{session}/resume", budgets.resume),
    ]


class _Budgets:
    def __init__(self, server: Server) -> None:
        self._server = server
        self._budgets = server.services.budgets

    async def create(self, request: Request) -> Response:
        caller = await self._server.caller(request, "sessions:write")
        data = await read_body(request, self._server.max_body_bytes)
        new = _NEW.decode(data)
        session = budgets.subject(new)
        again = repeat(request, caller.key, "everruns.budgets.create", data)
        made = await self._budgets.create(caller.org, session, budgets.new_budget(new), caller.by, again)
        return _answer(caller, made, 201)

    async def page(self, request: Request) -> Response:
        """Bare, and of sessions only: whatever else is asked for has none."""
        caller = await self._server.caller(request, "sessions:read")
        query = _LIST.read(request.query_string)
        if query.subject_type not in (UNSET, budgets.SUBJECT):
            return json_response(list[wire.Budget]())
        if query.subject_id is UNSET:
            return _listed(caller.org, await self._budgets.list_all(caller.org, None, MOST_LISTED))
        try:
            session = ids.session(query.subject_id)
            return _listed(caller.org, await self._budgets.list(caller.org, session, None, MOST_LISTED))
        except NotFound:
            return json_response(list[wire.Budget]())

    async def get(self, request: Request) -> Response:
        caller, budget = await self._budget(request, "sessions:read")
        return _answer(caller, Result(await self._budgets.get(caller.org, budget)))

    async def change(self, request: Request) -> Response:
        caller, budget = await self._budget(request, "sessions:write")
        change = budgets.change(await self._server.body(request, _CHANGE))
        return _answer(caller, Result(await self._budgets.change(caller.org, budget, change, caller.by)))

    async def disable(self, request: Request) -> Response:
        caller, budget = await self._budget(request, "sessions:write")
        await self._budgets.disable(caller.org, budget, caller.by)
        return NO_CONTENT

    async def top_up(self, request: Request) -> Response:
        caller, budget = await self._budget(request, "sessions:write")
        data = await read_body(request, self._server.max_body_bytes)
        wanted = _TOP_UP.decode(data)
        amount = budgets.amount("amount", wanted.amount)
        again = repeat(request, caller.key, "everruns.budgets.top-up", data)
        return _answer(
            caller,
            await self._budgets.top_up(caller.org, budget, amount, wanted.description, caller.by, again),
        )

    async def ledger(self, request: Request) -> Response:
        """The newest entry first."""
        caller, id = await self._budget(request, "sessions:read")
        query = _LEDGER.read(request.query_string)
        budget = await self._budgets.get(caller.org, id)
        # Entries are numbered from 1 without a gap.
        newest = budget.entries - query.offset
        oldest = max(0, newest - query.limit)
        entries = await self._budgets.ledger(caller.org, id, oldest, newest - oldest) if newest > 0 else ()
        return json_response([budgets.entry(entry) for entry in reversed(entries)])

    async def check(self, request: Request) -> Response:
        caller, budget = await self._budget(request, "sessions:read")
        return _verdict(await self._budgets.check(caller.org, budget))

    async def of_session(self, request: Request) -> Response:
        caller = await self._server.caller(request, "sessions:read")
        session = ids.session(request.params["session"])
        return _listed(caller.org, await self._budgets.list(caller.org, session, None, MOST_LISTED))

    async def check_session(self, request: Request) -> Response:
        caller = await self._server.caller(request, "sessions:read")
        session = ids.session(request.params["session"])
        return _verdict(await self._budgets.check_session(caller.org, session))

    async def resume(self, request: Request) -> Response:
        caller = await self._server.caller(request, "sessions:write")
        session = ids.session(request.params["session"])
        data = await read_body(request, self._server.max_body_bytes)
        again = repeat(request, caller.key, "everruns.resume", data)
        resumed = await self._budgets.resume(caller.org, session, caller.by, again)
        answer = wire.Resumed(ids.text("session", session), resumed.value)
        return json_response(answer, 200, *replayed(resumed))

    async def _budget(self, request: Request, scope: Scope) -> tuple[Caller, BudgetId]:
        caller = await self._server.caller(request, scope)
        return caller, BudgetId(ids.parse("bdgt", request.params["budget"]))


def _answer(caller: Caller, result: Result[Budget], status: int = 200) -> Response:
    return json_response(budgets.budget(caller.org, result.value), status, *replayed(result))


def _listed(org: OrgId, found: Sequence[Budget]) -> Response:
    return json_response([budgets.budget(org, budget) for budget in found])


def _verdict(verdict: Verdict) -> Response:
    return json_response(budgets.check(verdict))
