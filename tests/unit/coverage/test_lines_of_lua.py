"""A script made to tell its lines does so at every statement, and nowhere else."""

import pytest

from compat.coverage.lua import instrument

SCRIPT = """--[[ a comment
  if not code ]]
local rcall = redis.call -- local too
local names = {
  "one",
  two = 2
}
local function first(list,
                     other)
  for _, item in ipairs(list) do
    if item == other and
       item ~= "end" then
      return item
    elseif item then
      rcall("SET", item,
        table.concat(list, ","))
    else
      break
    end
  end
end
repeat
  names[1] = first(names, function(x)
    return x
  end)
until names[1]
while true do break end
return names
"""


def test_each_line_that_begins_a_statement_is_named() -> None:
    assert instrument(7, SCRIPT).lines == (3, 4, 8, 10, 11, 13, 15, 18, 22, 23, 24, 27, 28)


def test_only_those_lines_are_changed_and_none_is_moved() -> None:
    made = instrument(7, SCRIPT)
    before, after = SCRIPT.split("\n"), made.text.split("\n")
    assert len(before) == len(after)
    changed = {n for n, (old, new) in enumerate(zip(before, after, strict=True), 1) if old != new}
    assert changed - {1} == set(made.lines)  # the first line holds what notes them
    assert all(f"__line({n}) " in after[n - 1] for n in made.lines)


def test_the_number_of_the_script_is_in_what_it_says() -> None:
    assert '"lines 7 " .. n' in instrument(7, SCRIPT).text.split("\n")[0]


@pytest.mark.parametrize("text", ["local a = @", "if x then", "f("])
def test_what_is_no_lua_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"Lua|does not end"):
        instrument(1, text)
