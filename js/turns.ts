/** How long VMs may keep the event loop before timers that are due get their turn, in milliseconds. */
const MAX_WITHOUT_TIMERS = 100;

let since: number | undefined;
let isArmed = false;

/** The functions to call once the event loop has had control. */
const waiting = new Set<() => void>();

/** Resolved, for microtasks. */
const settled = Promise.resolve();

function note(onControl: () => void): void {
  waiting.add(onControl);
  if (!isArmed) {
    // In a microtask the stack is empty. Where it ends inside of `setTimeout`, Node loses all timers of the same length.
    settled.then(() => setTimeout(tell));
    isArmed = true;
  }
}

function tell(): void {
  isArmed = false;
  since = undefined;
  for (const onControl of waiting) {
    onControl();
  }
  waiting.clear();
}

/**
 * The turns of the event loop, which all VMs of a realm share: however many there are, they keep it no longer than one. They don't depend
 * on any VM, since one that ends would never note the end of its turn.
 */
export const turns = {
  /**
   * Notes that the event loop waits from `now` on, in milliseconds. Returns when it began to wait, which may be earlier for another VM.
   *
   * @param onControl called once the event loop has had control
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
    if (since !== undefined && now - since >= MAX_WITHOUT_TIMERS) {
      return false;
    }
    note(onControl);
    since = now;
    return true;
  },
};
