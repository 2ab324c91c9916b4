"""One life of the vendor's client, unpatched, with a server. Runs in the client's own environment, not in the tests'.

Prints one JSON object: what was seen, by the name of the step.
"""

# pyright: basic, reportMissingImports=false
# The client is not installed where the types are checked.

import json
import sys
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

ARN = "arn:aws:bedrock-agentcore:us-west-2:123456789012:runtime/My_agent-a1B2c3D4e5"
HEADER = "X-Amzn-Bedrock-AgentCore-Runtime-Session-Id"
FIRST = "first-session-0123456789-0123456789"


class Runtime:
    def __init__(self, url: str, key: str, **config: Any) -> None:
        self.client = boto3.client(
            "bedrock-agentcore",
            endpoint_url=url,
            region_name="us-west-2",
            aws_access_key_id=key,
            aws_secret_access_key="not looked at",
            config=Config(**config),
        )

    def invoke(self, payload: Any, session: str | None = FIRST, **more: Any) -> dict[str, Any]:
        named = {} if session is None else {"runtimeSessionId": session}
        body = payload if isinstance(payload, str) else json.dumps(payload)
        return self.client.invoke_agent_runtime(**{"agentRuntimeArn": ARN, "payload": body} | named | more)

    def said(self, payload: Any, session: str | None = FIRST, **more: Any) -> Any:
        return json.loads(self.invoke(payload, session, **more)["response"].read())

    def stop(self, session: str = FIRST, **more: Any) -> dict[str, Any]:
        return self.client.stop_runtime_session(agentRuntimeArn=ARN, runtimeSessionId=session, **more)

    def raised(self, name: str, act, *arguments: Any, **more: Any) -> list[Any]:
        """What an act raises by the client's own type of that name."""
        try:
            act(*arguments, **more)
        except getattr(self.client.exceptions, name) as error:
            response = error.response
            metadata = response["ResponseMetadata"]
            said = {key: response[key] for key in ("reason", "fieldList", "message") if key in response}
            return [metadata["HTTPStatusCode"], response["Error"]["Code"], bool(metadata["RequestId"]), said]
        except ClientError as error:
            return ["another type", str(error)]
        return ["nothing"]


def plain(answer: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in answer.items() if isinstance(value, str | int)}


def presigned(runtime: Runtime) -> Any:
    parameters = {"agentRuntimeArn": ARN, "payload": b"{}", "runtimeSessionId": FIRST}
    url = runtime.client.generate_presigned_url("invoke_agent_runtime", Params=parameters)
    request = urllib.request.Request(url, b'{"prompt":"presigned"}', {HEADER: FIRST}, method="POST")
    with urllib.request.urlopen(request) as answer:
        return json.loads(answer.read())


def wait(url: str, key: str, session: str) -> dict[str, Any]:
    """A call whose answer takes two seconds, of a client that gives up after one and then sends the call again."""
    hasty = Runtime(url, key, read_timeout=1, retries={"max_attempts": 12, "mode": "standard"})
    late = hasty.invoke('[{"sleep": 2}, {"say": "late"}]', session)
    retries = late["ResponseMetadata"]["RetryAttempts"]
    return {"answer": json.loads(late["response"].read()), "retries": retries}


def live(url: str, key: str) -> dict[str, Any]:
    seen: dict[str, Any] = {}
    runtime, loose = Runtime(url, key), Runtime(url, key, parameter_validation=False)
    traced = {"traceId": "Root=1-2", "traceParent": "00-1-2-01", "traceState": "a=b", "baggage": "c=d"}
    first = runtime.invoke({"prompt": "hello"}, qualifier="DEFAULT", runtimeUserId="somebody", **traced)
    seen["first"] = plain(first) | {"body": json.loads(first["response"].read())}
    seen["again"] = runtime.said({"question": 7})
    streamed = runtime.invoke({"prompt": "one two three"}, accept="text/event-stream")
    seen["stream_type"] = streamed["contentType"]
    seen["stream"] = [line.decode() for line in streamed["response"].iter_lines() if line]
    seen["made_id"] = plain(runtime.invoke({"prompt": "x"}, None))["runtimeSessionId"]
    seen["by_runtime_id"] = runtime.said(
        {"prompt": "short"}, agentRuntimeArn="My_agent-a1B2c3D4e5", accountId="123456789012"
    )
    with ThreadPoolExecutor(8) as threads:
        asked = [threads.submit(runtime.said, {"prompt": str(number)}, "p" * 40) for number in range(8)]
        seen["parallel"] = sorted(each.result()["result"] for each in asked)
    seen["presigned"] = presigned(runtime)
    seen["late"] = wait(url, key, "h" * 40)
    seen["stopped"] = plain(runtime.stop(clientToken="t" * 33))
    seen["stopped_again"] = plain(runtime.stop(clientToken="t" * 33))
    seen["after_stop"] = runtime.said({"prompt": "back"})
    seen["errors"] = {
        "other_token": runtime.raised("ValidationException", runtime.stop, "p" * 40, clientToken="t" * 33),
        "unknown": runtime.raised("ResourceNotFoundException", runtime.stop, "n" * 40),
        "unparsable": runtime.raised("ValidationException", runtime.invoke, '{"prompt":'),
        "failed": runtime.raised("RuntimeClientError", runtime.invoke, '[{"error": "fatal"}]'),
        "short_id": runtime.raised("ValidationException", loose.invoke, "{}", "short"),
        "account": runtime.raised("ValidationException", runtime.invoke, "{}", accountId="12"),
        "bad_key": runtime.raised("UnauthorizedException", Runtime(url, "wrong").invoke, "{}"),
        "command": runtime.raised(
            "ResourceNotFoundException",
            runtime.client.invoke_agent_runtime_command,
            agentRuntimeArn=ARN,
            body={"command": "ls"},
        ),
        "card": runtime.raised(
            "ResourceNotFoundException", runtime.client.get_agent_card, agentRuntimeArn=ARN
        ),
    }
    runtime.stop()
    seen["errors"]["stopped"] = runtime.raised("ResourceNotFoundException", runtime.stop)
    return seen


if __name__ == "__main__":
    act = live if len(sys.argv) == 3 else wait
    print(json.dumps(act(*sys.argv[1:])))
