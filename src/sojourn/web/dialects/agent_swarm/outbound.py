"""From sessions to agent-swarm's rows. Pure."""

from datetime import datetime

from sojourn.domain.ids import SessionId
from sojourn.domain.record import DrivenSession
from sojourn.service.rosters import Roster
from sojourn.web.dialects.agent_swarm import wire
from sojourn.web.dialects.agent_swarm.inbound import facet_of
from sojourn.web.kit.instants import milliseconds


def session(
    id: SessionId, facet: wire.Facet, started_at: datetime, last_heartbeat_at: datetime
) -> wire.Session:
    return wire.Session(
        id=str(id),
        agent_id=facet.agent_id,
        task_id=facet.task_id,
        trigger_type=facet.trigger_type,
        inbox_message_id=facet.inbox_message_id,
        task_description=facet.task_description,
        started_at=milliseconds(started_at),
        last_heartbeat_at=milliseconds(last_heartbeat_at),
        runner_session_id=facet.runner_session_id,
        provider_session_id=facet.provider_session_id,
        runtime_instance_id=facet.runtime_instance_id,
    )


def row(driven: DrivenSession, roster: Roster) -> wire.Session:
    """A session that was made elsewhere is shown under its agent's name, as triggered by itself."""
    facet = facet_of(driven)
    if facet is None:
        name = roster.agent_names[driven.agent, driven.agent_version]
        facet = wire.Facet(agent_id=name, trigger_type="session")
    return session(driven.id, facet, driven.created_at, driven.last_seen_at)
