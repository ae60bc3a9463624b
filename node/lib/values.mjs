/** Values that JSON cannot hold, tagged on the line: `$undefined`, `$number`, `$int`, `$bytes`, `$utf16`. */

const NUMBERS = { NaN: NaN, Infinity: Infinity, "-Infinity": -Infinity, "-0": -0 };
const SURROGATE = /\p{Surrogate}/u; // with the `u` flag only those that stand alone

/** What the harness wrote, untagged. An integer beyond 2^53 becomes the double that JavaScript would read. */
export function decode(value) {
  if (Array.isArray(value)) return value.map(decode);
  if (value === null || typeof value !== "object") return value;
  const entries = Object.entries(value);
  if (entries.length === 1) {
    const [tag, content] = entries[0];
    switch (tag) {
      case "$undefined":
        return undefined;
      case "$number":
        return NUMBERS[content];
      case "$int":
        return Number(content);
      case "$bytes":
        return Buffer.from(content, "base64");
      case "$utf16":
        return String.fromCharCode(...content.split(" ").filter(Boolean).map((unit) => parseInt(unit, 16)));
    }
  }
  return Object.fromEntries(entries.map(([key, item]) => [key, decode(item)]));
}

/** `value` as JSON can hold it. What has a `toJSON` of its own (a Date) is written as JavaScript writes it. */
export function encode(value) {
  switch (typeof value) {
    case "undefined":
    case "function":
    case "symbol":
      return { $undefined: true };
    case "bigint":
      return { $int: String(value) };
    case "number":
      if (Object.is(value, -0)) return { $number: "-0" };
      return Number.isFinite(value) ? value : { $number: String(value) };
    case "string":
      return SURROGATE.test(value) ? { $utf16: units(value) } : value;
    case "object":
      break;
    default:
      return value;
  }
  if (value === null) return null;
  if (value instanceof Uint8Array) return { $bytes: Buffer.from(value).toString("base64") };
  if (typeof value.toJSON === "function") return encode(value.toJSON());
  if (Array.isArray(value)) return Array.from(value, encode);
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key.replace(/\p{Surrogate}/gu, "\ufffd"), encode(item)]),
  );
}

function units(text) {
  return Array.from({ length: text.length }, (_, i) => text.charCodeAt(i).toString(16).padStart(4, "0")).join(" ");
}
