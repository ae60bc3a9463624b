/** The process's wall clock, moved: `Date.now()` and `new Date()`. Timers keep their own time. */

const RealDate = Date;
let offset = 0; // ms

const MovedDate = new Proxy(RealDate, {
  construct: (target, args, newTarget) =>
    Reflect.construct(target, args.length > 0 ? args : [now()], newTarget === MovedDate ? target : newTarget),
  apply: () => new RealDate(now()).toString(),
  get: (target, name) => (name === "now" ? now : target[name]),
});

function now() {
  return RealDate.now() + offset;
}

/** Move the clock `ms` from the real one; 0 puts it right again. */
export function setOffset(ms) {
  offset = ms;
  globalThis.Date = ms === 0 ? RealDate : MovedDate;
}
