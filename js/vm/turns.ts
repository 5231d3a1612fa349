/** The time that VMs may keep the event loop before due timers get their turn, in milliseconds. */
const MAX_WITHOUT_TIMERS = 100;

let since: number | undefined;

/** The number of times that the event loop has had control. */
let turn = 0;

/** The functions with a pending timer, which calls them once the event loop has had control. */
const waiting = new WeakSet<() => void>();

/** A resolved promise, for microtasks. */
const settled = Promise.resolve();

function note(onControl: () => void): void {
  if (waiting.has(onControl)) {
    return;
  }
  waiting.add(onControl);
  const armed = turn;
  // In a microtask the stack is empty. If the stack overflows inside `setTimeout`, Node loses all timers of the same
  // length.
  settled.then(() =>
    setTimeout(() => {
      waiting.delete(onControl);
      // Node runs all due timers in a row, and the event loop has had control only before the first of them.
      if (turn === armed) {
        turn++;
        since = undefined;
      }
      onControl();
    }),
  );
}

/**
 * The turns of the event loop, shared by all VMs of a realm, so that many VMs do not keep it longer than one. Each VM
 * has its own timer, because a single timer for all may never fire: Cloudflare Workers drop the timers of a request
 * that has ended.
 */
export const turns = {
  /**
   * Records that the event loop waits from `now` on, in milliseconds. Returns when the wait began, which another VM may
   * have caused earlier.
   *
   * @param onControl called once the event loop has had control; the same function for each call of a VM
   */
  begin(now: number, onControl: () => void): number {
    note(onControl);
    since ??= now;
    return since;
  },
  /**
   * Does the same as `begin` in a VM's own task, before which the event loop had control. Returns true if the VM may
   * start; false if timers have waited too long, because engines run message tasks before timer tasks.
   */
  beginTask(now: number, onControl: () => void): boolean {
    note(onControl);
    if (since !== undefined && now - since >= MAX_WITHOUT_TIMERS) {
      return false;
    }
    since = now;
    return true;
  },
};
