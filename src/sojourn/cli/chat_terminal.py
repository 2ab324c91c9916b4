"""A chat on a terminal: text appears as it is written, above whatever the user is typing."""

import re
import readline
import sys
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final

from sojourn.cli.chat_screens import asking_line, budget_line, closing_line
from sojourn.cli.entries import content_text, summary
from sojourn.cli.interrupts import INTERRUPTS
from sojourn.cli.screen import one_line, printable, styled
from sojourn.client import AnswerPart, Event, MessageEnded, TextAdded, TextVoided, TurnAsked, TurnClosed

if TYPE_CHECKING:
    from sojourn.client.types import Json

_PROMPT: Final = "> "


@dataclass(slots=True)
class _TurnFacts:
    """What the line under an answer says of its turn."""

    started_at: "datetime | None" = None
    ended_at: "datetime | None" = None
    input_tokens: int = 0
    output_tokens: int = 0
    models: set[str] = field(default_factory=set[str])

    def count(self, data: Mapping[str, "Json"]) -> None:
        """Add what a `model.completed` reports."""
        usage = data["usage"]
        if isinstance(usage, dict):
            self.input_tokens += int(str(usage.get("input_tokens", 0)))
            self.output_tokens += int(str(usage.get("output_tokens", 0)))
        simulated = " (simulated)" if data.get("simulated") else ""
        self.models.add(f"{data['model']}{simulated}")

    def line(self) -> str:
        words = [", ".join(sorted(self.models))] if self.models else []
        words += [f"{self.input_tokens:,} tokens in, {self.output_tokens:,} out"] if self.models else []
        if self.started_at is not None and self.ended_at is not None:
            words.append(f"{(self.ended_at - self.started_at).total_seconds():.1f} s")
        return "  ".join(words)


class TerminalScreen:
    """Text as it is written. While a prompt is up, whole messages appear above it and what was typed stays."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_prompting = False
        self._mark = _PROMPT
        self._is_mid_line = False
        self._is_waiting = False
        self._unshown = ""
        self._shown = ""
        self._is_replacing = False
        self._own_texts: Counter[str] = Counter()
        self._inputs: dict[str, str] = {}
        self._facts = _TurnFacts()

    def prompt(self, mark: str = _PROMPT) -> str:
        """A line typed by the user behind `mark`. Raises EOFError and KeyboardInterrupt as `input` does."""
        with self._lock:
            self._clear_wait()
            if self._is_mid_line:
                self._write("\n")
                self._is_mid_line = False
            self._is_prompting = True
            self._mark = mark
        try:
            # Between \001 and \002 stands what takes no room on the line, for readline's arithmetic.
            with INTERRUPTS.welcome():
                return input(re.sub(r"(\033\[[0-9;]*m)", "\001\\1\002", styled(mark, fg="cyan")))
        except (EOFError, KeyboardInterrupt):
            self._write("\n")
            raise
        finally:
            with self._lock:
                self._is_prompting = False

    def expect(self, text: str) -> None:
        """The user has typed `text`: it stands on the screen already."""
        with self._lock:
            self._own_texts[text] += 1

    def note(self, text: str, fg: str | None = None, dim: bool = False) -> None:
        """A line of ours."""
        with self._lock:
            self._line(text, fg=fg, dim=dim)

    def event(self, event: Event) -> None:
        with self._lock:
            self._event(event.type, event.data, event)

    def part(self, part: AnswerPart) -> None:
        with self._lock:
            match part:
                case TextAdded():
                    self._add(part.text)
                case TextVoided(is_abandoned=is_abandoned):
                    self._void(is_abandoned)
                case MessageEnded():
                    self._end_message(part)
                case TurnAsked():
                    self._line(asking_line(part), fg="yellow")
                case TurnClosed():
                    self._close(part)

    def _event(self, type: str, data: Mapping[str, "Json"], event: Event) -> None:
        if (line := budget_line(event)) is not None:
            self._line(line, fg="yellow")
            return
        match type:
            case "input.received" | "input.edited":
                self._inputs[str(data["input"])] = content_text(data)
            case "input.delivered":
                self._show_input(self._inputs.pop(str(data["input"]), ""))
            case "turn.started":
                self._facts.started_at = self._facts.started_at or event.at
                self._wait()
            case "turn.completed" | "turn.failed" | "turn.cancelled":
                self._facts.ended_at = event.at
            case "model.completed":
                self._facts.count(data)
            case "tool.requested" | "tool.completed" | "turn.retried" | "turn.waiting":
                self._line(f"{type.partition('.')[0]}  {one_line(summary(event), 100)}", fg="yellow")
            case "session.ended" | "session.expired":
                self._line(f"the session has ended: {one_line(summary(event), 100)}", fg="yellow")
            case _:
                pass

    def _show_input(self, text: str) -> None:
        if self._own_texts[text]:
            self._own_texts[text] -= 1
        else:
            self._line(_PROMPT + printable(text), fg="cyan")
        self._wait()

    def _wait(self) -> None:
        """Dots until the first words come."""
        if not (self._is_prompting or self._is_mid_line or self._is_waiting):
            self._is_waiting = True
            self._write(styled("…", dim=True))

    def _add(self, text: str) -> None:
        self._unshown += text
        if not (self._is_prompting or self._is_replacing):
            self._flush()

    def _flush(self) -> None:
        if self._unshown:
            self._clear_wait()
            self._write(printable(self._unshown))
            self._is_mid_line = not self._unshown.endswith("\n")
            self._shown += self._unshown
            self._unshown = ""

    def _void(self, is_abandoned: bool) -> None:
        self._unshown = ""
        if is_abandoned:
            self._disown()
        else:
            # The committed text follows at once; whether the screen can stand is known when it is whole.
            self._is_replacing = True

    def _disown(self) -> None:
        if self._shown:
            self._shown = ""
            self._line("what stands above broke off; the answer is written anew", fg="yellow")

    def _end_message(self, part: MessageEnded) -> None:
        if self._is_replacing:
            self._is_replacing = False
            # Previews run ahead of an interruption: a few words too many are no reason to print it all again.
            if self._shown.startswith(part.text):
                self._unshown = ""
            else:
                self._disown()
        if self._is_prompting:
            text, self._unshown = self._unshown, ""
            if text:
                self._line(text)
        else:
            self._flush()
        self._shown = ""
        if part.interrupted:
            self._line("stopped here", fg="yellow")

    def _close(self, closed: TurnClosed) -> None:
        if closed.status == "completed":
            self._line(self._facts.line(), dim=True)
        else:
            self._line(closing_line(closed), fg="red" if closed.status == "failed" else "yellow")
        if not self._is_prompting:
            self._write("\n")
        self._facts = _TurnFacts()

    def _line(self, text: str, fg: str | None = None, dim: bool = False) -> None:
        """A line of its own, whatever stands on the current one."""
        self._clear_wait()
        typed = self._typed()
        if typed is not None:
            self._write("\r\033[K")
        elif self._is_mid_line:
            self._write("\n")
        self._is_mid_line = False
        self._write(styled(printable(text), fg=fg, dim=dim) + "\n")
        if typed is not None:
            self._write(styled(self._mark, fg="cyan") + typed)

    def _typed(self) -> str | None:
        """What stands behind the prompt; None while there is none."""
        return readline.get_line_buffer() if self._is_prompting else None

    def _clear_wait(self) -> None:
        if self._is_waiting:
            self._is_waiting = False
            self._write("\r\033[K")

    def _write(self, text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()
