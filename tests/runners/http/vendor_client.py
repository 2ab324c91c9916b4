"""The vendor's client, unpatched, in front of a server whose agent is an app of the vendor's own library.

Runs in the vendor's environment, not in the tests'. Prints what was seen as one JSON object.
"""

# pyright: basic, reportMissingImports=false
# The client is not installed where the types are checked.

import json
import sys

import boto3

ARN = "arn:aws:bedrock-agentcore:us-west-2:123456789012:runtime/My_agent-a1B2c3D4e5"
SESSION = "a-session-of-the-runtime-0123456789"

client = boto3.client(
    "bedrock-agentcore",
    endpoint_url=sys.argv[1],
    region_name="us-west-2",
    aws_access_key_id=sys.argv[2],
    aws_secret_access_key="not looked at",
)


def invoke(prompt: str, beside: dict | None = None, **more: str):
    payload = json.dumps({"prompt": prompt, **(beside or {})})
    return client.invoke_agent_runtime(
        agentRuntimeArn=ARN, runtimeSessionId=SESSION, payload=payload, **more
    )["response"]


seen = {
    "answer": json.loads(invoke("hello").read()),
    "beside": json.loads(invoke("{}", {"customer": {"id": 7.50}, "tags": ["a", None]}).read()),
    "stream": [
        json.loads(line.decode().removeprefix("data: "))
        for line in invoke("stream a,b,c", accept="text/event-stream").iter_lines()
        if line
    ],
}
try:
    invoke("fail")
except client.exceptions.RuntimeClientError as error:
    seen["error"] = error.response["message"]
print(json.dumps(seen))
