"""One life of the vendor's client, unpatched, with a server. Runs in the client's own environment, not in the tests'.

Prints one JSON object: what was seen, by the name of the step.
"""

# pyright: basic, reportMissingImports=false
# The client is not installed where the types are checked.

import json
import sys
from typing import Any

from kodexa.model.base import StandardDateTime
from kodexa.platform.client import EntitiesEndpoint, EntityEndpoint, KodexaClient, PageEndpoint
from pydantic import BaseModel, ConfigDict, Field

TYPE = "orchestrator-agent-sessions"
PATH = f"/api/{TYPE}"


class OrchestratorAgentSession(BaseModel):
    model_config = ConfigDict(populate_by_name=True)
    id: str | None = None
    uuid: str | None = None
    change_sequence: int | None = Field(None, alias="changeSequence")
    created_on: StandardDateTime | None = Field(None, alias="createdOn")
    updated_on: StandardDateTime | None = Field(None, alias="updatedOn")
    agent_runtime_id: str | None = Field(None, alias="agentRuntimeId")
    runtime_session_id: str | None = Field(None, alias="runtimeSessionId")
    organization_id: str | None = Field(None, alias="organizationId")
    status: str | None = None
    metadata: dict | None = None
    expires_at: StandardDateTime | None = Field(None, alias="expiresAt")
    last_invoked_at: StandardDateTime | None = Field(None, alias="lastInvokedAt")


class SessionEndpoint(OrchestratorAgentSession, EntityEndpoint):
    def get_type(self) -> str:
        return TYPE


class SessionPage(PageEndpoint):
    total_pages: int | None = Field(None, alias="totalPages")
    total_elements: int | None = Field(None, alias="totalElements")
    content: list[SessionEndpoint] | None = None
    number: int | None = None
    last: bool | None = None

    def to_endpoints(self):
        # The client's own registry of types is closed, and this resource is not in it.
        for session in self.content or []:
            session.set_client(self.client)
        return self


class Sessions(EntitiesEndpoint):
    def get_type(self) -> str:
        return TYPE

    def get_instance_class(self, object_dict=None):
        return SessionEndpoint

    def get_page_class(self, object_dict=None):
        return SessionPage


class Organization(BaseModel):
    id: str


def plain(entity: BaseModel) -> dict[str, Any]:
    return entity.model_dump(mode="json", by_alias=True, exclude={"client", "ref"})


def failing(act, *arguments) -> str:
    """What the client raises."""
    try:
        act(*arguments)
    except Exception as error:  # noqa: BLE001 - the client raises nothing narrower
        return str(error)
    return ""


def live(client: KodexaClient, url: str) -> dict[str, Any]:
    seen: dict[str, Any] = {}
    sessions = Sessions(client)
    new = {"agentRuntimeId": "rt", "runtimeSessionId": "r" * 36, "metadata": {"executionId": "ex-7"}}
    session = SessionEndpoint.model_validate(new).set_client(client).create()
    seen["created"] = plain(session)
    stale = session.model_copy()
    session.status = "IDLE"
    seen["updated"] = plain(session.update())
    seen["stale"] = failing(stale.update)
    made = [
        sessions.create(SessionEndpoint.model_validate({"status": f"S{number}"})).id for number in range(11)
    ]
    seen["made"] = made
    seen["streamed"] = [each.id for each in sessions.stream()]
    seen["filtered"] = [each.id for each in sessions.stream(filters=["status: 'S3'"])]
    own = Sessions(client, Organization(id=session.organization_id))
    seen["own"] = len([*own.stream(sort="createdOn:desc", filters=["status=like='S*'"])])
    page = sessions.list(page=2, page_size=5)
    seen["page"] = [
        page.number,
        page.total_elements,
        page.total_pages,
        page.last,
        [each.id for each in page.content],
    ]
    seen["got"] = plain(sessions.get(session.id))
    seen["exists"] = client.exists(f"{PATH}/{session.id}")
    session.delete()
    seen["exists_after"] = client.exists(f"{PATH}/{session.id}")
    seen["missing"] = failing(session.reload)
    seen["deleted_again"] = failing(session.delete)
    sessions.delete(made[0])
    seen["left"] = sessions.list().total_elements
    seen["bad_value"] = failing(client.post, PATH, {"expiresAt": "soon"})
    seen["bad_filter"] = failing(client.get, PATH, {"filter": "nothing: 'x'"})
    seen["bad_page"] = failing(client.get, PATH, {"page": 0})
    seen["bad_key"] = failing(KodexaClient(url=url, access_token="wrong").get, PATH)
    seen["slash"] = plain(SessionPage.model_validate(client.get(f"{PATH}/").json()))["totalElements"]
    seen["me"] = client.me.id
    seen["platform"] = client.platform.name
    seen["login"] = type(KodexaClient.login(url, client.access_token)).__name__
    seen["bad_login"] = failing(KodexaClient.login, url, "wrong")
    return seen


if __name__ == "__main__":
    _, url, key = sys.argv
    print(json.dumps(live(KodexaClient(url=url, access_token=key), url)))
