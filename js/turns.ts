/** How long VMs may keep the event loop before timers that are due get their turn, in milliseconds. */
const MAX_WITHOUT_TIMERS = 100;

let since: number | undefined;

/** How often the event loop has had control. */
let turn = 0;

/** The functions that have a timer, which calls them once the event loop has had control. */
const waiting = new WeakSet<() => void>();

/** Resolved, for microtasks. */
const settled = Promise.resolve();

function note(onControl: () => void): void {
  if (waiting.has(onControl)) {
    return;
  }
  waiting.add(onControl);
  const armed = turn;
  // In a microtask the stack is empty. Where it ends inside of `setTimeout`, Node loses all timers of the same length.
  settled.then(() =>
    setTimeout(() => {
      waiting.delete(onControl);
      // Node runs all timers that are due one after the other, and only the first of them comes after the event loop had control.
      if (turn === armed) {
        turn++;
        since = undefined;
      }
      onControl();
    }),
  );
}

/**
 * The turns of the event loop, which all VMs of a realm share: however many there are, they keep it no longer than one. Each has a timer of
 * its own, since one timer for all may never fire: Cloudflare Workers drop those of a request that has ended.
 */
export const turns = {
  /**
   * Notes that the event loop waits from `now` on, in milliseconds. Returns when it began to wait, which may be earlier for another VM.
   *
   * @param onControl called once the event loop has had control, the same function for each call of a VM
   */
  begin(now: number, onControl: () => void): number {
    note(onControl);
    since ??= now;
    return since;
  },
  /**
   * Does the same as `begin` in a task of a VM's own, before which the event loop had control. Returns whether the VM may begin: false if timers have waited
   * too long, because engines run the tasks of messages before those of timers.
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
