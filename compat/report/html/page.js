"use strict";
(() => {
  const all = [...document.querySelectorAll(".scenario")];
  const chips = [...document.querySelectorAll(".chip")];
  const search = document.getElementById("search");
  const open = document.getElementById("open");
  let area = "";

  // A scenario stays when one of its cells has a chosen word, arm and topology, and its text holds every word searched.
  const chosen = (name) => chips.filter((c) => name in c.dataset && c.ariaPressed === "true").map((c) => c.dataset[name]);
  const fits = (values, value) => values.length === 0 || values.includes(value);
  const shown = () => all.filter((s) => !s.hidden);

  function filter() {
    const words = chosen("word"), arms = chosen("arm"), topologies = chosen("topology");
    const wanted = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const scenario of all) {
      const cells = scenario.dataset.cells.split("|").map((cell) => cell.split(" "));
      const found = cells.some(([w, a, t]) => fits(words, w) && fits(arms, a) && fits(topologies, t));
      const said = wanted.every((word) => scenario.dataset.text.includes(word));
      scenario.hidden = !(found && said && (area === "" || scenario.dataset.area === area));
    }
    const left = shown().length;
    document.getElementById("count").value =
      (left === all.length ? `${left} scenarios` : `${left} of ${all.length} scenarios`) + (area ? ` in ${area}` : "");
    document.getElementById("nothing").hidden = left > 0;
    open.textContent = shown().some((s) => !s.open) ? "open all" : "close all";
  }

  function press(name, values) {
    for (const chip of chips) if (name in chip.dataset) chip.ariaPressed = String(values.includes(chip.dataset[name]));
  }

  function clear() {
    for (const chip of chips) chip.ariaPressed = "false";
    search.value = "";
    area = "";
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.classList.contains("chip")) button.ariaPressed = String(button.ariaPressed !== "true");
    else if (button.id === "clear") clear();
    else if (button === open) {
      const opening = shown().some((s) => !s.open);
      for (const scenario of shown()) scenario.open = opening;
    } else {
      clear();
      if ("search" in button.dataset) search.value = button.dataset.search;
      if ("area" in button.dataset) area = button.dataset.area;
      if ("arm" in button.dataset) press("arm", [button.dataset.arm]);
      if ("topology" in button.dataset) press("topology", [button.dataset.topology]);
      document.getElementById("scenarios").scrollIntoView({ block: "start" });
    }
    filter();
  });
  search.addEventListener("input", filter);

  function follow() {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target && target.classList.contains("scenario")) target.open = true;
  }
  addEventListener("hashchange", follow);
  for (const scenario of all) scenario.addEventListener("toggle", () => filter());
  follow();
  filter();
})();
