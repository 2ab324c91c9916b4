import pytest

from sojourn.web.kit.refusals import MethodNotAllowed, UnknownPath
from sojourn.web.kit.request import Request
from sojourn.web.kit.response import NO_CONTENT, Response
from sojourn.web.kit.router import Endpoint, Router
from tests.web.kit.requests import request_of

TEMPLATES = [
    ("GET", "/things"),
    ("POST", "/things"),
    ("GET", "/things/{thing}"),
    ("GET", "/things/search"),
    ("POST", "/things/search/saved"),
    ("GET", "/things/{thing}/parts/{part}"),
    ("DELETE", "/"),
    ("GET", "/files/{area}/{path...}"),
    ("GET", "/files/{area}/_/stat"),
]


def endpoint(name: str) -> Endpoint:
    async def answer(_request: Request) -> Response:
        return NO_CONTENT

    answer.__name__ = name
    return answer


ROUTER = Router((method, template, endpoint(f"{method} {template}")) for method, template in TEMPLATES)


def found(method: str, path: bytes) -> tuple[str, dict[str, str]]:
    request = request_of(method, path)
    return getattr(ROUTER.find(request), "__name__", ""), dict(request.params)


@pytest.mark.parametrize(
    ("method", "path", "template", "params"),
    [
        ("GET", b"/things", "GET /things", {}),
        ("HEAD", b"/things", "GET /things", {}),
        ("POST", b"/things", "POST /things", {}),
        ("GET", b"/things/7", "GET /things/{thing}", {"thing": "7"}),
        ("GET", b"/things/search", "GET /things/search", {}),
        ("GET", b"/things/a%2Fb%20c", "GET /things/{thing}", {"thing": "a/b c"}),
        ("GET", b"/things/%C3%A9", "GET /things/{thing}", {"thing": "é"}),
        ("GET", b"/things/100%", "GET /things/{thing}", {"thing": "100%"}),
        (
            "GET",
            b"/things/search/parts/2",
            "GET /things/{thing}/parts/{part}",
            {"thing": "search", "part": "2"},
        ),
        ("DELETE", b"/", "DELETE /", {}),
        ("DELETE", b"", "DELETE /", {}),
        ("GET", b"/files/7/a", "GET /files/{area}/{path...}", {"area": "7", "path": "a"}),
        ("GET", b"/files/7/a%2Fb//c", "GET /files/{area}/{path...}", {"area": "7", "path": "a/b//c"}),
        ("GET", b"/files/7/", "GET /files/{area}/{path...}", {"area": "7", "path": ""}),
        ("GET", b"/files/7/_/stat", "GET /files/{area}/_/stat", {"area": "7"}),
        ("GET", b"/files/7/_/other", "GET /files/{area}/{path...}", {"area": "7", "path": "_/other"}),
    ],
)
def test_a_path_finds_its_template(method: str, path: bytes, template: str, params: dict[str, str]) -> None:
    assert found(method, path) == (template, params)


@pytest.mark.parametrize(
    "path",
    [
        b"/thing",
        b"/things/",
        b"/things//parts/2",
        b"/things/7/parts",
        b"/things/%FF",
        b"/things/%00",
        b"/files/7",
        b"/files/7/a/%00",
    ],
)
def test_a_path_of_no_template_is_unknown(path: bytes) -> None:
    with pytest.raises(UnknownPath):
        found("GET", path)


def test_another_method_is_refused_with_those_that_are_there() -> None:
    with pytest.raises(MethodNotAllowed) as refusal:
        found("PATCH", b"/things")
    assert refusal.value.allowed == "GET, HEAD, POST"
