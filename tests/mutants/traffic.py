"""What a sound port hears, says and sends to Redis in each scenario, and whether a seeded fault can show there."""

from __future__ import annotations

import base64
import json
import os
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from faults import Fault, Place, Talk, Wire, put
from faults.wire import Command

from bullmq_ref import lua


@dataclass
class Traffic:
    """Of one scenario: each different line once. Messages are texts of JSON: a fault may change what it is handed.
    `sent` is empty where nobody can stand between port and Redis; `called` are scripts, `reached` faults of the library
    to one of whose places it came."""

    asked: set[str] = field(default_factory=set)
    answered: set[tuple[str, str]] = field(default_factory=set)  # method, result
    told: set[str] = field(default_factory=set)
    sent: set[tuple[bytes, ...]] = field(default_factory=set)
    called: set[str] = field(default_factory=set)
    reached: set[str] = field(default_factory=set)

    def shows(self, fault: Fault | Talk | Wire) -> bool:
        """Whether the fault changes anything here; of one whose place is not known, nobody can say."""
        if isinstance(fault, Talk):
            return (
                any(_changed(fault.ask, text) for text in sorted(self.asked, key=_begin_first))
                or any(_changed(lambda value, m=method: fault.answer(m, value), text) for method, text in self.answered)
                or any(_changed(fault.tell, text) for text in self.told)
            )
        if isinstance(fault, Wire):
            return any(fault.change(list(command)) != list(command) for command in self.sent)
        if fault.script:
            return fault.script in self.called
        return not fault.places or fault.name in self.reached


def _begin_first(text: str) -> bool:
    return '"scenario.begin"' not in text


def _changed(change: Callable[[Any], Any], text: str) -> bool:
    return bool(change(json.loads(text)) != json.loads(text))


class Notes:
    """Writes down what passes by, in a file of this process's own in `folder`; made to stand where faults do."""

    def __init__(self, folder: Path) -> None:
        self._file = (folder / f"{os.getpid()}.jsonl").open("a", encoding="utf-8")
        self._scenario = ""
        self._known: set[tuple[str, ...]] = set()

    def begin(self, params: dict[str, Any]) -> None:
        self._scenario = params["id"]
        self._known.clear()

    def ask(self, message: dict[str, Any]) -> dict[str, Any]:
        if message["method"] == "scenario.begin":
            self.begin(message["params"])
        self._note("asked", json.dumps({**message, "id": 0}, sort_keys=True))
        return message

    def answer(self, method: str, result: Any) -> Any:
        self._note("answered", method, json.dumps(result, sort_keys=True))
        return result

    def tell(self, message: dict[str, Any]) -> dict[str, Any]:
        self._note("told", json.dumps(message, sort_keys=True))
        return message

    def change(self, command: Command) -> Command:
        self._note("sent", *(base64.b64encode(word).decode() for word in command))
        return command

    def listen(self, faults: Iterable[Fault]) -> None:
        """Note, in this process, which scripts are called and which places of `faults` are come to."""
        sound = lua.load

        def load(name: str) -> lua.Script:
            found = sound(name)
            self._note("called", found.name)
            return found

        put(lua, "load", load)
        for fault in faults:
            for place in fault.places:
                put(place.owner, place.name, self._noted(place, fault.name))

    def _noted(self, place: Place, fault: str) -> Callable[..., Any]:
        function = getattr(place.owner, place.name)

        async def noted_if_raised(*arguments: Any, **options: Any) -> Any:
            try:
                return await function(*arguments, **options)
            except Exception:
                self._note("reached", fault)
                raise

        def noted(*arguments: Any, **options: Any) -> Any:
            if place.when(*arguments, **options):
                self._note("reached", fault)
            return function(*arguments, **options)

        return noted_if_raised if place.raises else noted

    def _note(self, *words: str) -> None:
        if words in self._known:
            return
        self._known.add(words)
        self._file.write(json.dumps([self._scenario, *words]) + "\n")
        self._file.flush()


def read(folder: Path) -> dict[str, Traffic]:
    """Scenario → its traffic, of what `Notes` wrote into `folder`."""
    found: dict[str, Traffic] = defaultdict(Traffic)
    for file in sorted(folder.glob("*.jsonl")):
        for line in file.read_text("utf-8").splitlines():
            scenario, kind, *words = json.loads(line)
            traffic = found[scenario]
            match kind:
                case "asked":
                    traffic.asked.add(words[0])
                case "answered":
                    traffic.answered.add((words[0], words[1]))
                case "told":
                    traffic.told.add(words[0])
                case "called":
                    traffic.called.add(words[0])
                case "reached":
                    traffic.reached.add(words[0])
                case "sent":
                    traffic.sent.add(tuple(base64.b64decode(word) for word in words))
    return dict(found)
