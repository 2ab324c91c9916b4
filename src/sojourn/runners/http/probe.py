"""Whether the app of an idle session says `HealthyBusy`."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sojourn.domain.errors import InvalidRequest
from sojourn.domain.runner_config.http import read_http
from sojourn.outgoing import Outgoing, Unanswered
from sojourn.ports.probes import Idler
from sojourn.runners.http.app import App, AppFailed, session_name


class HttpProbe:
    def __init__(self, outgoing: Outgoing, environment: Mapping[str, str]) -> None:
        self._outgoing = outgoing
        self._environment = environment

    async def last_active(self, idler: Idler, now: datetime) -> datetime | None:
        """Now for a busy app; for another the last change of its status, which is when it ceased to be busy."""
        try:
            config = read_http(idler.agent.spec.runner_config)
            if now - idler.ended_at > timedelta(seconds=config.max_busy_seconds):
                return None
            name = session_name(idler.session, idler.alias)
            health = await App(self._outgoing, config, name, self._environment).ping()
        except (InvalidRequest, Unanswered, AppFailed):
            return None
        return now if health.is_busy else health.changed_at
