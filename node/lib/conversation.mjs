/** The conversation with the harness: JSON-RPC 2.0, one object a line, requests in both directions. */

import { messageOf } from "./symbols.mjs";

export const RAISED = -32000; // BullMQ threw
export const NOT_IMPLEMENTED = -32601;
export const BAD_PARAMS = -32602;
export const ENVIRONMENT = -32001; // Redis cannot be reached
export const DRIVER = -32002;

/** Ends a request with an error that is not BullMQ's. */
export class RpcError extends Error {
  constructor(code, message) {
    super(message);
    this.rpcCode = code;
  }
}

export class Conversation {
  #write;
  #handle;
  #explain;
  #asked = new Map();
  #count = 0;

  /**
   * `write` takes a line; `handle(method, params)` answers a request; `explain(error)` gives the `error` member for
   * what it throws.
   */
  constructor({ write, handle, explain }) {
    this.#write = write;
    this.#handle = handle;
    this.#explain = explain;
  }

  /** Take the harness's lines from `input`, until it ends. Only "\n" ends a line: JSON may hold U+2028. */
  async listen(input) {
    let pieces = [];
    for await (const chunk of input) {
      let start = 0;
      for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
        pieces.push(chunk.subarray(start, end));
        this.#take(Buffer.concat(pieces).toString("utf8"));
        pieces = [];
        start = end + 1;
      }
      if (start < chunk.length) pieces.push(chunk.subarray(start));
    }
  }

  /** Ask the harness; its answer, still tagged. */
  ask(method, params) {
    const id = `d${++this.#count}`;
    return new Promise((resolve, reject) => {
      this.#asked.set(id, { resolve, reject });
      this.#send({ id, method, params });
    });
  }

  /** Tell the harness; no answer comes. */
  notify(method, params) {
    this.#send({ method, params });
  }

  /** Give up every question that the harness has not answered. */
  forget(reason) {
    for (const { reject } of this.#asked.values()) reject(new Error(reason));
    this.#asked.clear();
  }

  #take(line) {
    if (line.trim() === "") return;
    let message;
    try {
      message = JSON.parse(line);
    } catch (error) {
      console.error(`a line on standard input is not JSON: ${messageOf(error)}`);
      return;
    }
    if (message === null || typeof message !== "object") {
      console.error(`a line on standard input is no object: ${line.slice(0, 200)}`);
    } else if (typeof message.method === "string") {
      void this.#answer(message);
    } else {
      const asked = this.#asked.get(message.id); // none: the question was given up
      this.#asked.delete(message.id);
      if (message.error) asked?.reject(new Error(`the harness refused: ${message.error.message}`));
      else asked?.resolve(message.result);
    }
  }

  async #answer({ id, method, params }) {
    let reply;
    try {
      reply = { result: await this.#handle(method, params ?? {}) };
    } catch (error) {
      reply = { error: this.#explain(error) };
    }
    if (id !== undefined) this.#send({ id, ...reply });
  }

  #send(message) {
    this.#write(JSON.stringify({ jsonrpc: "2.0", ...message }) + "\n");
  }
}
