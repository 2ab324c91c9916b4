"""Whether the app of an idle session says `HealthyBusy`."""

from datetime import datetime, timedelta

from sojourn.domain.errors import InvalidRequest
from sojourn.domain.runner_config.http import read_http
from sojourn.outgoing import Outgoing, Unanswered
from sojourn.ports.probes import Idler
from sojourn.ports.vault import SecretSource
from sojourn.runners.http.app import App, AppFailed, session_name
from sojourn.runners.revealing import SecretUnusable, revealed_headers


class HttpProbe:
    def __init__(self, outgoing: Outgoing, secrets: SecretSource) -> None:
        self._outgoing = outgoing
        self._secrets = secrets

    async def last_active(self, idler: Idler, now: datetime) -> datetime | None:
        """Now for a busy app; for another the last change of its status, which is when it ceased to be busy."""
        try:
            config = read_http(idler.agent.spec.runner_config)
            if now - idler.ended_at > timedelta(seconds=config.max_busy_seconds):
                return None
            name = session_name(idler.session, idler.alias)
            headers = await revealed_headers(self._secrets, idler.org, config.headers)
            health = await App(self._outgoing, config, name, headers).ping()
        except (InvalidRequest, Unanswered, AppFailed, SecretUnusable):
            return None
        return now if health.is_busy else health.changed_at
