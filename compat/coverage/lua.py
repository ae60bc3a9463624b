"""A Lua script made to tell which of its lines run. The text goes in and comes out: nothing is run here."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

_TOKEN = re.compile(
    r"""
      (?P<blank>\s+ | --\[(?P<c>=*)\[.*?\](?P=c)\] | --[^\n]*)
    | (?P<text>"(?:[^"\\\n]|\\.)*" | '(?:[^'\\\n]|\\.)*' | \[(?P<t>=*)\[.*?\](?P=t)\])
    | (?P<name>[A-Za-z_]\w*)
    | (?P<number>0[xX][0-9a-fA-F]+ | \d+\.?\d*(?:[eE][+-]?\d+)?)
    | (?P<sign>\.\.\.|\.\.|[=~<>]=|[-+*/%^\#<>=(){}\[\];:,.])
    """,
    re.VERBOSE | re.DOTALL,
)

#: After one of these an expression, a list or a condition goes on: the next line begins no statement.
_GOES_ON = frozenset(
    {"=", ",", ".", ":", "(", "[", "{", "..", "+", "-", "*", "/", "%", "^", "#", "<", ">", "<=", ">=", "==", "~="}
    | {"and", "or", "not", "in", "return", "local", "function", "if", "elseif", "while", "until", "for"}
)
#: What begins a line without beginning a statement.
_NO_START = frozenset({"end", "else", "elseif", "until", "then", "do", "and", "or", "not", "in"})
_OPENING, _CLOSING = frozenset("([{"), frozenset(")]}")


class Instrumented(Struct, frozen=True):
    """`text` does what the script does, and says in the server's log which lines began. `lines`: all it can name."""

    text: str
    lines: tuple[int, ...]


class _Token(Struct, frozen=True):
    word: str
    line: int
    column: int
    plain: bool  # a name or a keyword


def instrument(number: int, text: str) -> Instrumented:
    """Have script `number` note each line that begins a statement, once a call, as `lines <number> <line>`.

    Raises ValueError for text that is no Lua this reader knows.
    """
    starts = tuple(_starts(text))
    rows = text.split("\n")
    for line, column in starts:
        rows[line - 1] = f"{rows[line - 1][:column]}__line({line}) {rows[line - 1][column:]}"
    head = (
        "local __seen = {} local function __line(n) if not __seen[n] then __seen[n] = true "
        f'redis.log(redis.LOG_WARNING, "lines {number} " .. n) end end '
    )
    return Instrumented(head + "\n".join(rows), tuple(line for line, _ in starts))


def _starts(text: str) -> Iterator[tuple[int, int]]:
    """Line and column of the first statement on each line that begins with one."""
    depths = [0]  # open brackets in each function that is open
    blocks: list[str] = []
    before: _Token | None = None
    for token in _tokens(text):
        first = before is None or token.line > before.line
        goes_on = before is not None and before.word in _GOES_ON
        if first and token.plain and not depths[-1] and not goes_on and token.word not in _NO_START:
            yield token.line, token.column
        _nest(token, depths, blocks)
        before = token
    if blocks or depths != [0]:
        raise ValueError(f"the script does not end where it should: {len(blocks)} blocks are open")


def _nest(token: _Token, depths: list[int], blocks: list[str]) -> None:
    if token.plain:
        match token.word:
            case "function":
                blocks.append("function")
                depths.append(0)
            case "if" | "while" | "for" | "repeat":
                blocks.append(token.word)
            case "do" if not (blocks and blocks[-1] in ("while", "for")):
                blocks.append("do")
            case "do":
                blocks[-1] = "do"
            case "end" | "until":
                if blocks.pop() == "function":
                    depths.pop()
    elif token.word in _OPENING:
        depths[-1] += 1
    elif token.word in _CLOSING:
        depths[-1] -= 1


def _tokens(text: str) -> Iterator[_Token]:
    position, line, line_at = 0, 1, 0
    while position < len(text):
        found = _TOKEN.match(text, position)
        if found is None:
            raise ValueError(f"line {line}: {text[position : position + 20]!r} is no Lua this reader knows")
        if found.lastgroup != "blank" and not found["blank"]:
            yield _Token(found[0], line, position - line_at, found["name"] is not None)
        if newlines := found[0].count("\n"):
            line += newlines
            line_at = position + found[0].rindex("\n") + 1
        position = found.end()
