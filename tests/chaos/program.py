"""An agent's program that speaks the Agent Client Protocol by the standard library alone: it starts at once.

`python program.py OUTSIDE`. Of a prompt's lines it does `line KEY` (asks, then leaves its trace outside), `say TEXT`,
`rest` (takes its time) and `die KEY` (the first time, dies). What an interruption quotes it goes through again, and
looks outside at what is done already. `CHAOS_PID` is the server that has started it.
"""

import json
import os
import sys
from itertools import count
from pathlib import Path
from select import select
from typing import Any, Final, Literal

REST_SECONDS: Final = 0.03
RULE: Final = "-----"
HELPER_SECONDS: Final = 20.0
OPTIONS: Final = [
    {"optionId": "yes", "name": "Yes", "kind": "allow_once"},
    {"optionId": "always", "name": "Always", "kind": "allow_always"},
    {"optionId": "no", "name": "No", "kind": "reject_once"},
]


class Program:
    def __init__(self, outside: Path) -> None:
        self._outside = outside
        self._numbers = count(1)
        self._session = ""
        self._is_cancelled = False

    def run(self) -> None:
        while line := sys.stdin.readline():
            self._hear(json.loads(line))

    def _hear(self, message: dict[str, Any]) -> None:
        params: dict[str, Any] = message.get("params", {})
        match message.get("method"):
            case "initialize":
                abilities = {"loadSession": True}
                self._answer(message, {"protocolVersion": 1, "agentCapabilities": abilities})
            case "session/new":
                session = f"s-{os.getpid()}-{os.urandom(4).hex()}"
                _sessions(session).touch()
                self._answer(message, {"sessionId": session})
            case "session/load":
                if _sessions(params["sessionId"]).exists():
                    self._answer(message, {})
                else:
                    _send({"id": message["id"], "error": {"code": -32002, "message": "no such session"}})
            case "session/prompt":
                self._session, self._is_cancelled = params["sessionId"], False
                reason = self._prompt("\n".join(block["text"] for block in params["prompt"]))
                self._answer(message, {"stopReason": reason})
            case "session/cancel":
                self._is_cancelled = True
            case _:
                if "id" in message:
                    self._answer(message, {})

    def _prompt(self, text: str) -> Literal["end_turn", "cancelled"]:
        # What was said before it was there stands between two rules.
        told = "".join(text.split(f"{RULE}\n")[::2])
        for line in told.splitlines():
            verb, _, rest = line.removeprefix("> ").partition(" ")
            self._do(verb, rest)
            if self._is_cancelled:
                return "cancelled"
        return "end_turn"

    def _do(self, verb: str, rest: str) -> None:
        match verb:
            case "line":
                self._line(rest)
            case "say":
                for word in rest.split():
                    content = {"type": "text", "text": f"{word} "}
                    self._tell({"sessionUpdate": "agent_message_chunk", "content": content})
            case "rest":
                self._rest()
            case "die" if not self._is_noted("death", rest):
                self._note("death", rest)
                os._exit(7)
            case _:
                pass

    def _line(self, key: str) -> None:
        """Outside is where its own memory is: what is done there it does not do again."""
        if self._is_noted("tool", key):
            return
        call = f"c{next(self._numbers)}-{os.getpid()}"
        tool = {"toolCallId": call, "title": "line", "kind": "execute", "rawInput": {"key": key}}
        self._tell({"sessionUpdate": "tool_call", "status": "pending", **tool})
        chosen = self._ask(tool)
        if chosen == "no":
            self._tell({"sessionUpdate": "tool_call_update", "toolCallId": call, "status": "failed"})
        if chosen not in ("yes", "always"):
            return
        self._rest()
        if self._is_cancelled:
            return
        self._note("tool", key)
        self._rest()
        content = [{"type": "content", "content": {"type": "text", "text": "written"}}]
        self._tell(
            {
                "sessionUpdate": "tool_call_update",
                "toolCallId": call,
                "status": "completed",
                "content": content,
            }
        )

    def _ask(self, tool: dict[str, Any]) -> str:
        """The option that was chosen, or `cancelled`."""
        number = f"p{next(self._numbers)}"
        params: dict[str, Any] = {"sessionId": self._session, "toolCall": tool, "options": OPTIONS}
        _send({"id": number, "method": "session/request_permission", "params": params})
        while line := sys.stdin.readline():
            message = json.loads(line)
            if message.get("id") == number and "method" not in message:
                return message.get("result", {}).get("outcome", {}).get("optionId", "cancelled")
            self._hear(message)
        sys.exit(0)

    def _rest(self) -> None:
        """Unless something comes, which may be the word to stop."""
        if select([sys.stdin], [], [], REST_SECONDS)[0]:
            line = sys.stdin.readline()
            if not line:
                sys.exit(0)
            self._hear(json.loads(line))

    def _is_noted(self, kind: str, key: str) -> bool:
        lines = self._outside.read_text().splitlines() if self._outside.exists() else []
        return any((one["kind"], one["key"]) == (kind, key) for one in map(json.loads, lines))

    def _note(self, kind: str, key: str) -> None:
        text = json.dumps({"kind": kind, "key": key, "pid": int(os.environ["CHAOS_PID"])})
        with self._outside.open("ab", buffering=0) as file:
            file.write(f"{text}\n".encode())

    def _tell(self, update: dict[str, Any]) -> None:
        _send({"method": "session/update", "params": {"sessionId": self._session, "update": update}})

    @staticmethod
    def _answer(message: dict[str, Any], result: dict[str, Any]) -> None:
        _send({"id": message["id"], "result": result})


def _send(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()


def _start_helper() -> None:
    """As real agents start servers of tools: it is in a session of its own, and hears of no end of its program."""
    if os.fork() == 0:
        os.setsid()
        for stream in (0, 1, 2):
            os.close(stream)
        select([], [], [], HELPER_SECONDS)
        os._exit(0)


def _sessions(session: str) -> Path:
    return Path("..", f"{Path.cwd().name}.{session}.json")


if __name__ == "__main__":
    _start_helper()
    Program(Path(sys.argv[1])).run()
