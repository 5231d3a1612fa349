// Compares two times that are measured in one run.

/**
 * Measures a time and its reference, up to three times, because the machine may be busy during one of the two. Returns
 * the first pair whose ratio is below `most`, or otherwise the last pair.
 *
 * @param {number} most
 * @param {() => [time: number, reference: number] | Promise<[time: number, reference: number]>} measure in milliseconds
 */
export async function timesBelow(most, measure) {
  let pair = await measure();
  for (let attempt = 1; attempt < 3 && pair[0] >= most * pair[1]; attempt++) {
    pair = await measure();
  }
  return pair;
}
