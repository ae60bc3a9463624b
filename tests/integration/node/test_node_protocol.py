"""How the oracle's driver speaks: the contract, refusals, its beginning and its end."""

from __future__ import annotations

import json
import subprocess
from typing import Any

from compat.drivers import Driver, command_for
from compat.drivers.implementations import NODE_DRIVER
from compat.drivers.places import node_binary
from compat.protocol.messages import PROTOCOL
from compat.protocol.methods import EVENTS, FLOW, JOB, JOB_VIEW, METHODS, PRODUCER, QUEUE, WORKER
from compat.protocol.symbols import SCRIPT_CODES, TEXTS

COMMAND = command_for("node@5.62.0")


def printed(flag: str) -> Any:
    run = subprocess.run([node_binary(), str(NODE_DRIVER), flag], capture_output=True, text=True, check=True)
    return json.loads(run.stdout)


def talk(*messages: Any, command: tuple[str, ...] = COMMAND) -> tuple[dict[Any, Any], subprocess.CompletedProcess[str]]:
    """Say `messages` (texts are sent as they are), close standard input, and return the answers by id."""
    lines = [message if isinstance(message, str) else json.dumps(message) for message in messages]
    run = subprocess.run(command, input="\n".join(lines) + "\n", capture_output=True, text=True, timeout=30)
    return {(answer := json.loads(line))["id"]: answer for line in run.stdout.split("\n") if line}, run


def test_methods_parameters_and_job_views_are_those_of_the_contract() -> None:
    assert printed("--methods") == {
        "methods": {name: list(params) for name, params in METHODS.items()},
        "jobView": list(JOB_VIEW),
    }


def test_symbols_of_errors_are_those_of_the_contract() -> None:
    assert printed("--symbols") == {"codes": SCRIPT_CODES, "texts": TEXTS}


def test_the_oracle_declares_all_that_a_driver_may_be_asked_for(driver: Driver) -> None:
    """(T158, T160) The pinned version says who it is; no scenario is not applicable to it."""
    welcome = driver.welcome
    assert (welcome.protocol, welcome.name, welcome.version, welcome.bullmq) == (PROTOCOL, "bullmq", "5.62.0", "5.62.0")
    assert (welcome.language, welcome.meta_version, welcome.serial) == ("javascript", "bullmq:5.62.0", False)
    offers = welcome.capabilities
    assert (offers.queue, offers.job) == (tuple(QUEUE), tuple(JOB))
    assert (offers.worker, offers.events) == ((*WORKER, "event"), (*EVENTS, "event"))
    assert offers.producer == tuple(PRODUCER)
    assert offers.flow == tuple(FLOW)
    assert offers.clock and offers.cluster
    assert set(offers.processor) >= {"gate", "spin", "die", "nonError", "waitingChildren", "rateLimit"}


def test_what_it_does_not_know_is_refused_by_name() -> None:
    answers, run = talk(
        {"id": 1, "method": "queue.fly"},
        {"id": 2, "method": "queue.add", "params": {"on": "q", "dta": 1}},
        {"id": 3, "method": "queue.count", "params": {"on": "q"}},
        {"id": 4, "method": "initialize", "params": {"protocol": "bullmq-compat/9"}},
        {"id": 5, "method": "clock.set", "params": {"offsetMs": "1h"}},
        {"id": 6, "method": "ping", "params": [1]},
    )
    errors = {number: (answer["error"]["code"], answer["error"]["message"]) for number, answer in answers.items()}
    assert errors == {
        1: (-32601, "queue.fly is not implemented by this driver"),
        2: (-32602, "queue.add takes on, name, data, opts; not dta"),
        3: (-32002, "no scenario is under way: scenario.begin comes first"),
        4: (-32602, "this driver speaks bullmq-compat/1; the harness asked for bullmq-compat/9"),
        5: (-32602, 'offsetMs is a number of ms, not "1h"'),
        6: (-32602, "ping takes named parameters: none"),
    }
    assert run.returncode == 0


def test_a_line_that_is_not_json_is_told_of_on_standard_error() -> None:
    answers, run = talk("{nonsense", '"text"', "", {"id": 1, "method": "ping"})
    assert answers == {1: {"jsonrpc": "2.0", "id": 1, "result": None}}
    assert "is not JSON" in run.stderr
    assert "is no object" in run.stderr


def test_line_separators_inside_json_do_not_end_a_line() -> None:
    answers, _ = talk(json.dumps({"id": "\u2028\u2029", "method": "ping"}, ensure_ascii=False))
    assert list(answers) == ["\u2028\u2029"]


def test_the_end_of_standard_input_ends_it() -> None:
    assert talk()[1].returncode == 0


def test_shutdown_is_answered_and_ends_it() -> None:
    with subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b'{"id":1,"method":"shutdown"}\n')
        process.stdin.flush()
        assert json.loads(process.stdout.readline()) == {"jsonrpc": "2.0", "id": 1, "result": None}
        assert process.wait(10) == 0


def test_a_version_that_is_not_installed_is_named() -> None:
    _, run = talk(command=(*COMMAND[:-1], "bullmq-0.0.1"))
    assert run.returncode == 1
    assert '"bullmq-0.0.1" is not installed' in run.stderr
    assert "npm ci" in run.stderr


def test_an_option_that_does_not_exist_is_answered_with_the_usage() -> None:
    _, run = talk(command=(*COMMAND[:2], "--bulmq", "x"))
    assert run.returncode == 64
    assert "usage: driver.mjs" in run.stderr
