"""What an agent may say to the runner `http`, and what it may not."""

import pytest

from sojourn.domain.errors import InvalidRequest
from sojourn.domain.headers import SecretHeader
from sojourn.domain.kinds import Json
from sojourn.domain.runner_config.http import read_http
from sojourn.domain.secret_reference import SecretReference

URL = "http://a.example"


def test_what_is_left_out_has_its_default() -> None:
    config = read_http({"url": "https://a.example:8443/base/"})
    assert config.url == "https://a.example:8443/base"
    assert (config.prompt_field, config.shape, config.idempotent) == ("prompt", "json", False)
    assert (config.start_seconds, config.timeout_seconds) == (30.0, 900.0)
    assert (config.headers, config.payload) == ({}, {})


def test_a_secret_stays_a_reference() -> None:
    headers: Json = {
        "Authorization": "Bearer env:SOJOURN_AGENT_TOKEN",
        "X-Api-Key": "env:SOJOURN_AGENT_KEY",
        "X-Other": "secret://other",
        "X-Stage": "test",
    }
    assert read_http({"url": URL, "headers": headers}).headers == {
        "Authorization": SecretHeader(SecretReference("env", "SOJOURN_AGENT_TOKEN"), "Bearer "),
        "X-Api-Key": SecretHeader(SecretReference("env", "SOJOURN_AGENT_KEY")),
        "X-Other": SecretHeader(SecretReference("secret", "other")),
        "X-Stage": "test",
    }


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ({}, "url"),
        ({"url": 7}, "url"),
        ({"url": "ftp://a.example"}, "url"),
        ({"url": "http://"}, "url"),
        ({"url": "http://a.example:99999"}, "url"),
        ({"url": "http://a.example/?q=1"}, "url"),
        ({"url": "http://a.example/#f"}, "url"),
        ({"url": "http://u:p@a.example"}, "url"),
        ({"url": "http://a.example/\r\nx"}, "url"),
        ({"url": "http://a.example/" + "x" * 2000}, "url"),
        ({"url": URL, "other": 1}, "other"),
        ({"url": URL, "headers": []}, "headers"),
        ({"url": URL, "headers": {"a b": "c"}}, "headers"),
        ({"url": URL, "headers": {"Authorization": "Bearer x"}}, "headers.Authorization"),
        ({"url": URL, "headers": {"X-Auth-Token": "x"}}, "headers.X-Auth-Token"),
        ({"url": URL, "headers": {"X-Key": "env:SOJOURN_SECRET_KEY"}}, "headers.X-Key"),
        ({"url": URL, "headers": {"X-A": "env:PATH"}}, "headers.X-A"),
        ({"url": URL, "headers": {"X-A": "secret://a b"}}, "headers.X-A"),
        ({"url": URL, "headers": {"Host": "b"}}, "headers.Host"),
        ({"url": URL, "headers": {"X-A": "a\r\nb: c"}}, "headers.X-A"),
        ({"url": URL, "headers": {"X-A": 7}}, "headers.X-A"),
        ({"url": URL, "payload": {"x": "y" * 40_000}}, "payload"),
        ({"url": URL, "prompt_field": ""}, "prompt_field"),
        ({"url": URL, "timeout_seconds": 0}, "timeout_seconds"),
        ({"url": URL, "timeout_seconds": True}, "timeout_seconds"),
        ({"url": URL, "start_seconds": 601}, "start_seconds"),
        ({"url": URL, "max_answer_bytes": 1.5}, "max_answer_bytes"),
        ({"url": URL, "idempotent": "yes"}, "idempotent"),
        ({"url": URL, "shape": "xml"}, "shape"),
    ],
)
def test_what_the_runner_cannot_use_is_refused_with_its_place(config: dict[str, Json], field: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read_http(config)
    assert refused.value.field == f"runner_config.{field}"
