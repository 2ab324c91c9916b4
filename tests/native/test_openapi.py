"""The document says what the server does: checked whole, and then by sending whatever it allows and forbids."""

import asyncio
import copy
import json
import re
from contextlib import nullcontext, suppress
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import jsonschema
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.core.failures import FailureGroup

from sojourn.domain.ask import NewAsk
from sojourn.domain.events import MessageAbandoned, ModelCalled
from sojourn.domain.ids import DEFAULT_ORG, AskId, SessionId, uuid7
from sojourn.ports.turns import Ready
from sojourn.web.native.openapi import document
from sojourn.web.native.routes import PUBLIC, ROUTES
from tests.native.asserting import new_input, new_session, value
from tests.web.served import ADMIN, Served, listening, open_served

EXAMPLES = 12
DOCUMENT: dict[str, Any] = json.loads(document(PUBLIC, ROUTES))
# Its types have type parameters that nobody fills in.
tool: Any = schemathesis
conformance: Any = import_module("schemathesis.specs.openapi.checks")
Operation = Any
CHECKS = [
    import_module("schemathesis.checks").not_a_server_error,
    conformance.status_code_conformance,
    conformance.content_type_conformance,
    conformance.response_headers_conformance,
    conformance.response_schema_conformance,
    conformance.negative_data_rejection,
]
# A stream does not end, and a client that validates whole answers would wait for it.
ENDLESS = {"stream_events", "stream_signals"}


@tool.serializer("application/x-ndjson")
def as_line(context: Any, value: Any) -> bytes:
    """Whatever is drawn for a body of lines, as one."""
    del context
    return json.dumps(value).encode() + b"\n"


def name_of(operation: Operation) -> str:
    return operation.definition.raw["operationId"]


def operations_of(document: dict[str, Any]) -> list[Operation]:
    """What is sent always carries a key: a tool that takes it away would take the rest for wrong as well."""
    keyless = {name: part for name, part in document.items() if name != "security"}
    found = [result.ok() for result in tool.openapi.from_dict(keyless).get_all_operations()]
    return [operation for operation in found if name_of(operation) not in ENDLESS]


async def seed(served: Served) -> dict[str, str]:
    """Something to be found under each name that occurs in a path."""
    client = served.client
    agent = value(await client.post("/agents", json={"name": "clerk"}), 201)
    session = await new_session(client)
    await new_input(client, session["id"])
    waiting = await new_input(client, session["id"], "lorem " * 10_000)
    new_budget = {"currency": "tokens", "limit": 10**6}
    budget = value(await client.post(f"/sessions/{session['id']}/budgets", json=new_budget), 201)
    page = value(await client.get(f"/sessions/{session['id']}/events", params={"type": "input.received"}))
    hook = {"url": "https://93.184.216.34/hook"}
    webhook = value(await client.put("/webhooks/agent-session-finished", json=hook))
    given = {"kind": "openai-compatible", "base_url": "https://93.184.216.34/v1"}
    provider = value(await client.put("/providers/acme", json=given))
    model = value(await client.put("/models/fast", json={"provider": "acme", "model": "large"}))
    secret = value(await client.put("/secrets/key", json={"value": "hidden"}))
    return {
        "capability": "files",
        "provider": provider["name"],
        "model": model["name"],
        "secret": secret["name"],
        "type": webhook["type"],
        "agent": agent["id"],
        "session": session["id"],
        "input": waiting["id"],
        "turn": value(await client.get(f"/sessions/{session['id']}"))["open_turn"],
        "budget": budget["id"],
        "claim": await open_claim(served),
        "key": value(await client.post("/keys", json={"name": "x", "role": "reporter"}), 201)["id"],
        "ask": str(await open_ask(served, session["id"])),
        "sha256": page["data"][1]["data"]["blob"]["sha256"],
    }


async def open_ask(served: Served, session: str) -> AskId:
    """The open turn waits for it."""
    turns, ask = served.services.turns, AskId(uuid7())
    claimed = await turns.claim(Ready(DEFAULT_ORG, SessionId(UUID(session))), "worker", ["model"])
    assert claimed is not None
    void = (await turns.entries_after(claimed, 0))[-1].event
    assert isinstance(void, ModelCalled)
    closed = MessageAbandoned(message=void.message, call=void.call)
    await turns.wait(claimed, [closed], [NewAsk(id=ask, kind="question", prompt={})], "parked")
    return ask


def be_patient_no_longer(case: Any) -> None:
    """What may wait for half a minute would, at each example."""
    parts: list[Any] = [case.body, case.query]
    for part in parts:
        match part:
            case {"wait_seconds": int() | float() as seconds}:
                part["wait_seconds"] = min(seconds, 0)
            case _:
                pass


async def open_claim(served: Served) -> str:
    """The name of a claim that stands."""
    client = served.client
    value(await client.post("/agents", json={"name": "foreign", "runner": "external"}), 201)
    session = await new_session(client, agent="foreign")
    await new_input(client, session["id"])
    claimed = value(await client.post("/worker/claims", json={"worker": "w", "session": session["id"]}))
    return claimed["claimed"]["claim"]


def probe(operation: Operation, url: str, known: dict[str, str]) -> None:
    """Send valid and invalid requests, to what is there and to what is not."""
    session = requests.Session()
    names = [parameter["name"] for parameter in DOCUMENT["paths"][operation.path].get("parameters", [])]
    fixed = {name: known[name] for name in names}
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
        for path_parameters in [None, fixed] if fixed else [None]:
            strategy = operation.as_strategy(mode, path_parameters=path_parameters)

            @settings(
                max_examples=EXAMPLES,
                derandomize=True,
                database=None,
                deadline=None,
                phases=[Phase.generate],
                suppress_health_check=[
                    HealthCheck.too_slow,
                    HealthCheck.filter_too_much,
                    HealthCheck.data_too_large,
                ],
            )
            @given(case=strategy)
            def check(case: Any) -> None:
                be_patient_no_longer(case)
                case.call_and_validate(
                    base_url=f"{url}/sojourn/v1",
                    session=session,
                    headers={"authorization": f"Bearer {ADMIN}"},
                    checks=CHECKS,
                )

            # A GET that takes nothing cannot be asked wrongly.
            with suppress(Unsatisfiable) if mode is GenerationMode.NEGATIVE else nullcontext():
                check()


@pytest.mark.parametrize("operation", operations_of(DOCUMENT), ids=name_of)
async def test_whatever_is_sent_is_answered_as_the_document_says(
    operation: Operation, tmp_path: Path
) -> None:
    async with open_served(tmp_path, worker_capacity=0) as served, listening(served.app) as url:
        await asyncio.to_thread(probe, operation, url, await seed(served))


async def test_a_status_that_the_document_does_not_name_is_noticed(tmp_path: Path) -> None:
    faulty = copy.deepcopy(DOCUMENT)
    del faulty["paths"]["/sessions/{session}"]["get"]["responses"]["404"]
    operation = next(each for each in operations_of(faulty) if name_of(each) == "get_session")
    async with open_served(tmp_path, worker_capacity=0) as served, listening(served.app) as url:
        with pytest.raises(FailureGroup, match="Undocumented status code"):
            await asyncio.to_thread(probe, operation, url, await seed(served))


async def test_the_document_is_served_to_anybody(tmp_path: Path) -> None:
    async with open_served(tmp_path, worker_capacity=0) as served:
        transport = httpx.ASGITransport(served.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://s/sojourn/v1") as anybody:
            assert value(await anybody.get("/openapi.json")) == DOCUMENT
            assert value(await anybody.get("/health"))["status"] == "ok"


def test_every_route_is_in_the_document_under_a_name_of_its_own() -> None:
    described = {
        (method.upper(), path): operation["operationId"]
        for path, item in DOCUMENT["paths"].items()
        for method, operation in item.items()
        if method != "parameters"
    }
    table = {(route.method, route.path): route.operation for route in ROUTES}
    table |= {("GET", route.path): route.operation for route in PUBLIC}
    assert described == table
    assert len(set(described.values())) == len(described)


def test_every_schema_of_the_document_is_a_schema() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    for each in schemas.values():
        jsonschema.Draft202012Validator.check_schema(each)
    references = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(DOCUMENT)))
    assert references <= schemas.keys()
    streamed = {"Event", "Preview", "CaughtUp", "Gap", "Closing"}
    assert schemas.keys() - references <= streamed
