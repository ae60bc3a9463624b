/**
 * The slots of cron patterns as BullMQ 5.62.0 asks cron-parser for them: one search for each, from the slot before.
 *
 * Reads `[[pattern, time zone, start], …]` from stdin; writes `[[pattern, time zone, start, answer], …]`, where an
 * answer is six slots in ms (fewer when there are no more) or "refused" for a pattern that is none. An answer in the
 * input is not looked at, so the table is renewed from itself:
 *
 *     node tests/data/cron_slots.mjs < tests/data/cron_slots.json > new && mv new tests/data/cron_slots.json
 */

import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const require = createRequire(fileURLToPath(new URL("../../node/driver.mjs", import.meta.url)));
const { parseExpression } = createRequire(require.resolve("bullmq"))("cron-parser");

function slots(pattern, tz, start) {
  const found = [];
  for (let from = new Date(start); found.length < 6; from = new Date(found.at(-1))) {
    let search;
    try {
      search = parseExpression(pattern, { tz, pattern, currentDate: from });
    } catch {
      return "refused";
    }
    try {
      found.push(search.next().getTime());
    } catch {
      break;
    }
  }
  return found;
}

const cases = JSON.parse(readFileSync(0, "utf8"));
const rows = cases.map(([pattern, tz, start]) => JSON.stringify([pattern, tz, start, slots(pattern, tz, start)]));
process.stdout.write(`[\n${rows.join(",\n")}\n]\n`);
