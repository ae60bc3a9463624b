"""Steps, rules and facts read as sentences."""

from typing import Any

import msgspec
import pytest

from compat.model.facts import Fact, Loss, Span
from compat.model.program import Rule
from compat.model.scenario import ObjectSpec
from compat.model.steps import BESIDES, Step
from compat.report.sentences import fact_words, loss_words, object_words, rule_words, span_words, step_words


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ({"add": {"on": "q", "name": "n"}}, 'add a job "n" to q'),
        ({"add": {"on": "q", "name": "n", "as": "j", "data": None}}, 'add job j "n" to q with data null'),
        ({"bulk": {"on": "q", "jobs": [{"name": "a"}, {"name": "b", "opts": {"lifo": True}}]}},
         'add at once to q: a job "a"; a job "b" with opts {lifo: true}'),
        ({"flow": {"on": "f", "trees": [{"name": "a", "queueName": "m", "as": "r", "opts": {"lifo": True}, "children":
           [{"name": "b", "queueName": "n"}]}, {"name": "c", "queueName": "m"}]}},
         'add at once through f: job r "a" of "m" with opts {lifo: true}, waiting for [a job "b" of "n"]; '
         'a job "c" of "m"'),
        ({"call": {"on": "q", "method": "pause"}}, "call q: pause()"),
        ({"call": {"job": "j", "method": "retry", "args": {"state": "failed"}, "as": "r"}, "raises": "JobNotExist"},
         'call job j: retry(state="failed"), kept as r; must be refused: JobNotExist'),
        ({"call": {"job": {"on": "q", "id": "7"}, "method": "log", "args": {"row": "\x1b"}}},
         'call job id "7" of q: log(row="\\\\u001b")'),
        ({"open": "q"}, "open q"),
        ({"close": "q"}, "close q"),
        ({"start": "w"}, "start worker w"),
        ({"start": {"worker": "w", "opts": {"concurrency": 2}}}, "start worker w with {concurrency: 2}"),
        ({"stop": {"worker": "w", "force": True}}, "stop worker w by force"),
        ({"until": {"state": {"failed": 1, "active": 0}, "queue": "q"}}, "wait in q until 1 failed, 0 active"),
        ({"until": {"event": "stalled", "job": "j", "count": 2}}, "wait until event stalled of job j ×2"),
        ({"until": {"gate": "g", "waiting": 2, "notice": "error"}},
         "wait until 2 held at gate g and the driver tells of error"),
        ({"until": {"key": {"key": "meta", "exists": False}}}, "wait until key meta is gone"),
        ({"until": {"errors": {"OOM": 2}}}, "wait until 2 errors OOM from Redis"),
        ({"until": {"errors": {"script": 2}}}, "wait until 2 errors of scripts from Redis"),
        ({"until": {"notice": "completed", "of": "e"}}, "wait until e tells of completed"),
        ({"capture": "mid"}, "compare all keys and events here, as `mid`"),
        ({"release": "g"}, "open gate g"),
        ({"share": "g"}, "let what comes to gate g go on one by one, the sides in turn, until nothing comes any more"),
        ({"share": {"gate": "g", "seed": 3}}, "let what comes to gate g go on one by one, in the order that seed 3 "
         "draws, until nothing comes any more"),
        ({"expire": {"lock": "j"}}, "let the lock of job j expire"),
        ({"expire": {"key": "limiter"}}, "let key limiter expire"),
        ({"sweep": "w"}, "worker w looks for stalled jobs, now"),
        ({"advance": 3600000}, "move the drivers' clocks 3,600,000 ms forward"),
        ({"clock": "2026-03-28T20:00:00Z"}, "set the drivers' clocks to 2026-03-28T20:00:00Z"),
        ({"kill": "w"}, "kill the process of worker w"),
        ({"fault": {"kind": "node-killed"}}, "let go wrong: node-killed"),
        ({"fault": {"kind": "clock-stepped", "of": "w", "as": "c", "ms": -5}},
         "let go wrong: clock-stepped of w, called c with {ms: -5}"),
        ({"mend": "c"}, "mend c"),
        ({"add": {"on": "q", "name": "n"}, "later": "a"}, 'add a job "n" to q; its answer is awaited later, as a'),
        ({"await": "a"}, "wait for the answer to a"),
    ],
)  # fmt: skip
def test_a_step_says_what_it_does(step: dict[str, Any], words: str) -> None:
    assert step_words(msgspec.convert(step, Step)) == words.replace("\\\\", "\\")


def test_every_verb_has_words() -> None:
    verbs = [name for name in Step.__struct_fields__ if name not in BESIDES]
    assert len(verbs) == 20, "a new verb: give it words, and a row above"


def test_a_loss_says_what_shows_it() -> None:
    loss = Loss("doubled", "it was sent again", Fact(counts={"wait": 2}))
    assert loss_words(loss) == 'doubled: it was sent again; shown by counts {"wait": 2}'


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"then": {"return": None}}, "any attempt: returns null"),
        ({"when": {"job": "j", "attempt": 2}, "then": {"throw": "boom"}}, 'job j, attempt 2: throws "boom"'),
        ({"gate": "g", "do": [{"log": "x"}, {"spin": 5}], "then": {"die": True}},
         'any attempt: held at gate g, log "x", spin 5, its process dies'),
        ({"then": {"throw": {"type": "rateLimit", "ms": 50}}}, 'any attempt: throws "" (rateLimit, 50 ms)'),
    ],
)  # fmt: skip
def test_a_rule_says_which_attempts_and_what_they_do(rule: dict[str, Any], words: str) -> None:
    assert rule_words(msgspec.convert(rule, Rule)) == words


def test_objects_and_facts_say_what_they_are() -> None:
    reader = msgspec.convert({"events": "mail", "role": "worker", "open": False}, ObjectSpec)
    assert object_words(reader) == 'event reader of "mail", the worker\'s, opened by a step'
    fact = msgspec.convert({"at": "mid", "job": "j", "failedReason": "boom", "returnvalue": None}, Fact)
    assert fact_words(fact) == 'job j: returnvalue null, failedReason "boom" (in capture mid)'


def test_a_call_that_may_raise_says_so() -> None:
    step = msgspec.convert({"call": {"on": "q", "method": "pause"}, "mayRaise": "JobNotExist"}, Step)
    assert step_words(step) == "call q: pause(); may be refused: JobNotExist"


@pytest.mark.parametrize(
    ("span", "words"),
    [
        ({"name": "pick-up", "from": {"add": "j"}, "to": {"attempt": "j", "number": 2}, "due": 1050},
         "pick-up: from the add of j being sent to the start of j's attempt 2, due after 1,050 ms; late if always "
         "200 ms behind the oracle"),
        ({"name": "end", "from": {"call": "r"}, "to": {"stop": "w"}, "bound": 500},
         "end: from the call r being sent to the stop of w being answered; late if always 500 ms behind the oracle"),
    ],
)  # fmt: skip
def test_a_span_says_what_is_timed_and_what_is_late(span: dict[str, Any], words: str) -> None:
    assert span_words(msgspec.convert(span, Span)) == words
