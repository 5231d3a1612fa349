/** The number of unfinished tasks by name. */
const pending = new Map<string, number>();

/**
 * Runs a task that was delayed or takes a while. Until it ends, `data-pending` of the body names it. Tests wait for
 * that, because nothing else on the page shows that a check found nothing.
 *
 * @param task starts the task; its promise settles when the task ends
 */
export async function track(name: string, task: () => Promise<void>): Promise<void> {
  count(name, 1);
  try {
    await task();
  } finally {
    count(name, -1);
  }
}

function count(name: string, change: 1 | -1): void {
  const before = pending.get(name) ?? 0;
  pending.set(name, before + change);
  if (before === 0 || before + change === 0) {
    const names = [...pending].filter(([, tasks]) => tasks > 0).map(([name]) => name);
    document.body.dataset.pending = names.join(", ");
  }
}
