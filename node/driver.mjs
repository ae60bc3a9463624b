#!/usr/bin/env node
/**
 * Node BullMQ behind `bullmq-compat/1`, on standard input and output: the oracle.
 *
 *     node driver.mjs [--bullmq WHERE]    serve, with the BullMQ of that name or in that folder (default: bullmq)
 *     node driver.mjs --methods           print the methods it knows, each with its parameters, and end
 *     node driver.mjs --symbols           print the symbols of errors, by code and by text, and end
 */

import { parseArgs } from "node:util";
import { Calls } from "./lib/calls.mjs";
import { Conversation } from "./lib/conversation.mjs";
import { loadLibrary } from "./lib/library.mjs";
import { JOB_VIEW, METHODS } from "./lib/methods.mjs";
import { messageOf, SCRIPT_CODES, TEXTS } from "./lib/symbols.mjs";

/** Standard output is the protocol's alone: whatever else is printed goes to standard error. */
function takeOutput() {
  const write = process.stdout.write.bind(process.stdout);
  process.stdout.write = process.stderr.write.bind(process.stderr);
  for (const name of ["log", "info", "debug"]) console[name] = console.error;
  process.stdout.on("error", () => process.exit(1)); // the harness is gone
  return write;
}

async function serve(alias) {
  const write = takeOutput();
  process.on("unhandledRejection", (error) => console.error(`unhandled rejection: ${messageOf(error)}`));
  const conversation = new Conversation({
    write,
    handle: async (method, params) => {
      const answer = await calls.handle(method, params);
      if (method === "shutdown") setImmediate(() => process.exit(0)); // once the answer is written
      return answer;
    },
    explain: (error) => calls.explain(error),
  });
  const calls = new Calls(loadLibrary(alias), {
    ask: (method, params) => conversation.ask(method, params),
    notify: (method, params) => conversation.notify(method, params),
    giveUp: (reason) => conversation.forget(reason),
  });
  await conversation.listen(process.stdin);
  process.exit(0);
}

function main() {
  let options;
  try {
    options = parseArgs({
      options: {
        bullmq: { type: "string", default: "bullmq" },
        methods: { type: "boolean", default: false },
        symbols: { type: "boolean", default: false },
      },
    }).values;
  } catch (error) {
    console.error(`${error.message}\nusage: driver.mjs [--bullmq WHERE | --methods | --symbols]`);
    process.exit(64);
  }
  if (options.methods) {
    console.log(JSON.stringify({ methods: METHODS, jobView: JOB_VIEW }));
  } else if (options.symbols) {
    console.log(JSON.stringify({ codes: SCRIPT_CODES, texts: TEXTS }));
  } else {
    serve(options.bullmq).catch((error) => {
      console.error(messageOf(error));
      process.exit(1);
    });
  }
}

main();
