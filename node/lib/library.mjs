/** One version of BullMQ, as npm has it installed, and the ioredis that it brings along. */

import { createRequire } from "node:module";

/** Load `alias`: the name of a package beside this driver, or the folder of one. Throws with what to do when it is not installed. */
export function loadLibrary(alias) {
  const require = createRequire(import.meta.url);
  let manifest;
  try {
    manifest = require(`${alias}/package.json`);
  } catch (error) {
    throw new Error(`the npm package "${alias}" is not installed beside this driver; run \`npm ci\` in its folder`, {
      cause: error,
    });
  }
  const IORedis = createRequire(require.resolve(alias))("ioredis");
  return { ...require(alias), IORedis: IORedis.default ?? IORedis, version: manifest.version };
}
