"""The report for people says what differs, where, why it matters and how to look closer."""

import io
import re

import pytest
from msgspec.structs import replace
from rich.console import Console

from compat.model.cell import Cell
from compat.model.history import Implementation
from compat.model.verdict import CellVerdict, Difference
from compat.report.collected import Run
from compat.report.console import print_report


def shown(run: Run, *, width: int = 80, color: bool = False, encoding: str = "utf-8", **options: object) -> str:
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding, newline="")
    console = Console(file=file, width=width, force_terminal=color, color_system="standard" if color else None)
    print_report(console, run, **options)  # type: ignore[arg-type]
    file.flush()
    return "\n".join(row.rstrip() for row in raw.getvalue().decode(encoding).splitlines()) + "\n"


def verdict(scenario: str, *differences: Difference, arm: str = "self", topology: str = "single") -> CellVerdict:
    return CellVerdict(Cell(scenario, arm, topology), "fail", 9, differences)  # type: ignore[arg-type]


def difference(check: str, port: object = "right", **more: object) -> Difference:
    return Difference(check, "state", "mail / job j", "left", port, "It differs.", **more)  # type: ignore[arg-type]


def section(text: str, title: str) -> str:
    """What stands below one of the report's headings."""
    parts = re.split(r"^([^\n─]+) ─{3,}\n", text, flags=re.MULTILINE)
    sections = dict(zip(parts[1::2], parts[2::2], strict=True))
    return sections[title].strip("\n")


def test_the_table_has_a_mark_for_each_topology_of_each_arm_and_a_legend_of_the_marks_used(run: Run) -> None:
    table = shown(run).split("\n\n")[1]
    assert (
        table
        == """\
                  self   produce   consume
scenario          s c    s c       s c       checks
───────────────────────────────────────────────────
events/priority     -                             0
queue/add         ✓ -              k             62
rate/limit        ≠                              12
retry/fixed       ✗      ✓         ✗            120
worker/death      !                ?              0"""
    )
    assert "✗ fail: the port differs from Node" in shown(run) and "flaky" not in shown(run)


def test_a_difference_is_told_once_in_words_with_values_cells_reason_and_the_command_to_look_closer(run: Run) -> None:
    assert (
        section(shown(run), "Differences")
        == """\
retry/fixed
  breaks-peer  end/job.failedReason
    Job j's failedReason is `boom` where Node worked, and the same text
    JSON-encoded where the port did.
    where  mail / job j / failedReason
    cells  self (single), consume (single)
    oracle "boom"
    port   "\\"boom\\""
    why    Node shows the quotes to its users, and code that compares the reason
           no longer matches.

  event  end/event.delayed
    The event `delayed` of job j is missing.
    where  mail / events / 4
    cells  self (single)
    oracle {"event": "delayed", "jobId": "<job:j>", "delay": "+20"}
    port   absent

  look closer: bullmq-compat run retry/fixed --arm self --topology single
               bullmq-compat show retry/fixed"""
    )


def test_cells_that_were_not_judged_are_told_with_hint_and_the_driver_s_last_words(run: Run) -> None:
    told = section(shown(run), "Not judged")
    assert told.startswith("""\
! worker/death  error in self (single)
  the driver ended with exit code 2 in step 3
  hint: its last words are below
  the driver's stderr:
    goroutine 1 [running]:
    panic: \\x1b[31mnil map [bold]
  look closer: bullmq-compat run worker/death --arm self --topology single""")
    assert "? worker/death  invalid in consume (single)\n  Node left `failed: 1`" in told


def test_known_mild_and_not_applicable_are_told_shortly(run: Run) -> None:
    text = shown(run, width=120)
    assert "encoding  queue/add#end/job.data  A blank follows each colon. consume" in section(
        text, "Known (1 difference)"
    )
    assert "encoding  queue/add#end/job.data" in section(text, "Milder than the gate (event)")
    assert "no capability `cluster`  2 cells of events/priority, queue/add" in section(text, "Not applicable")


def test_what_a_driver_leaves_uncompared_is_told_at_the_end(run: Run) -> None:
    told = Run(replace(run.header, unheard=("its workers' words are not compared",)), run.verdicts, run.footer)
    assert "its workers' words are not compared" in shown(told).splitlines()[-2]


def test_the_last_lines_count_and_say_what_the_exit_code_means(run: Run) -> None:
    assert shown(run, width=200).splitlines()[-3:] == [
        "5 scenarios, 10 cells, 194 checks: 2 pass, 2 fail, 1 stale, 1 invalid, 1 error, 1 known, 2 not-applicable; "
        "5.5 s, 0.5 s to start, 1.8 cells/s",
        "slowest: worker/death[self,single] 2.0 s, worker/death[consume,single] 1.0 s; median 0.40 s",
        "exit code 3, error or invalid: some cells could not be judged",
    ]


def test_an_interrupted_run_says_how_much_is_missing(run: Run) -> None:
    text = shown(Run(run.header, run.verdicts[:4]))
    assert "6 cells of 10 not run" in text and text.endswith("interrupted: what is told here is not all\n")


def test_a_run_without_cells_says_so(run: Run) -> None:
    assert "no cell was run" in shown(Run(run.header, ()))


def test_a_run_in_which_nothing_is_applicable_says_that_it_judged_nothing(run: Run) -> None:
    assert "nothing was judged" in shown(Run(run.header, run.verdicts[:2], run.footer), quiet=True)
    assert "nothing was judged" not in shown(run)


def test_quiet_keeps_what_went_wrong_and_the_last_lines(run: Run) -> None:
    text = shown(run, quiet=True)
    assert "Differences" in text and "exit code" in text
    assert "scenario  " not in text and "Not applicable" not in text and "Known" not in text


def test_the_command_to_look_closer_names_the_implementation_and_is_never_wrapped(run: Run) -> None:
    command = "bullmq-compat run --impl 'cmd:./a-driver-with-a-rather-long-name --and --many --flags --to --be --given'"
    assert f"{command} retry/fixed --arm self --topology single\n" in shown(run, command=command)


def test_a_check_with_other_values_in_other_arms_shows_each_pair_with_its_cells(run: Run) -> None:
    verdicts = (
        verdict("a/b", difference("a/b#end/job.x", 1)),
        verdict("a/b", difference("a/b#end/job.x", 2), arm="consume"),
    )
    told = section(shown(Run(run.header, verdicts)), "Differences")
    assert 'cells  self (single)\n    oracle "left"\n    port   1\n' in told
    assert 'cells  consume (single)\n    oracle "left"\n    port   2\n' in told


def test_words_that_only_repeat_place_and_values_are_left_out(run: Run) -> None:
    place = "mail / job 1 / data"
    echo = Difference("a/b#end/job.data", "state", place, 1, 2, f"{place}: the oracle left `1`, the port left `2`")
    more = Difference("a/b#end/events", "event", "mail / events", [1], [], "mail / events: event 1: the port lacks `1`")
    told = section(shown(Run(run.header, (verdict("a/b", echo, more),))), "Differences")
    assert "the oracle left" not in told
    assert "  event  end/events\n    event 1: the port lacks `1`\n" in told


def test_the_same_difference_in_a_later_scenario_refers_to_the_first_and_a_summary_counts_both(run: Run) -> None:
    verdicts = tuple(verdict(name, difference(f"{name}#end/meta.version")) for name in ("a/a", "a/b", "a/c"))
    told = section(shown(Run(run.header, verdicts)), "Differences")
    assert told.startswith("  state  meta.version  3 scenarios, 3 cells\n\n  state: what Redis holds differs")
    assert told.count("It differs.") == 1
    assert "state  end/meta.version  as in a/a; cells: self (single)" in told


def test_the_worst_scenario_comes_first_and_a_difference_in_all_its_cells_says_so(run: Run) -> None:
    mild, bad = difference("a/a#end/event.x"), difference("z/z#end/job.x", 3)
    verdicts = (
        verdict("a/a", replace(mild, level="event")),
        *(verdict("z/z", bad, arm=arm) for arm in ("self", "consume")),
    )
    told = section(shown(Run(run.header, verdicts)), "Differences")
    assert told.index("z/z") < told.index("a/a")
    assert "cells  all 2\n" in told


def test_a_step_that_came_too_late_for_another_reason_is_told_again(run: Run) -> None:
    verdicts = tuple(
        verdict(name, Difference(f"{name}#late/step-1", "breaks-peer", "step 2", "goes on", "stops", f"step 2: {name}"))
        for name in ("a/a", "a/b")
    )
    assert "as in" not in shown(Run(run.header, verdicts))


def test_a_port_that_fails_everywhere_does_not_flood_the_terminal(run: Run) -> None:
    verdicts = tuple(
        verdict(f"s/{n:03}", *(difference(f"s/{n:03}#end/job.f{i}", n) for i in range(30))) for n in range(200)
    )
    text = shown(Run(run.header, verdicts), quiet=True)
    assert "and 25 more differences; `--json FILE` holds them all" in text and "and 180 more scenarios: s/020" in text
    assert text.count("\n") < 1_200


def test_repeats_that_do_not_agree_show_how_many(run: Run) -> None:
    cell = Cell("a/b", "self", "single")
    verdicts = (CellVerdict(cell, "pass", 1), CellVerdict(cell, "fail", 1), CellVerdict(cell, "pass", 1))
    assert re.search(r"a/b +✗1/3", shown(Run(run.header, verdicts)))


def test_markup_and_control_characters_of_values_reach_no_terminal(run: Run) -> None:
    """(T145)"""
    evil = "[bold red]x[/] \x1b[2J \x07 :smile: \ud83d"
    spoilt = verdict(evil, Difference(f"{evil}#{evil}/{evil}", "state", evil, evil, None, evil, evil))
    error = CellVerdict(Cell(evil, "self", "single"), "error", reason=evil, hint=evil, stderr=(evil,))
    header = replace(run.header, port=Implementation(evil, evil, evil, "5.62.0"), servers={"single": evil})
    text = shown(Run(header, (spoilt, error)), width=200)
    assert "[bold red]x[/] \\x1b[2J \\x07 :smile: \\ud83d" in text
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f]", text)


def test_colours_are_for_terminals(run: Run) -> None:
    assert "\x1b[" not in shown(run)
    assert "\x1b[" in shown(run, color=True)


def test_a_terminal_without_unicode_gets_plain_marks(run: Run) -> None:
    safe = tuple(replace(v, differences=()) for v in run.verdicts)
    text = shown(Run(run.header, safe, run.footer), encoding="ascii")
    assert "X fail: the port differs from Node" in text


@pytest.mark.parametrize("code", [0, 1, 2, 3])
def test_each_exit_code_has_its_meaning(run: Run, code: int) -> None:
    assert run.footer is not None
    told = shown(Run(run.header, run.verdicts, replace(run.footer, exit_code=code))).splitlines()[-1]
    assert re.fullmatch(rf"exit code {code}, \w.*: .+", told)


def test_quirks_are_told_with_what_was_seen_of_them(run: Run) -> None:
    one = CellVerdict(Cell("a/b", "self", "single"), "pass", quirks={"late": "mended"})
    other = CellVerdict(Cell("a/b", "produce", "single"), "pass", quirks={"late": "kept"})
    told = section(shown(Run(run.header, (one, other))), "Quirks of Node 5.62.0")
    assert told.partition("\n\n")[0] == "late  kept in 1 cell of a/b, mended in 1 cell of a/b"
