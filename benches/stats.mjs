// Statistics of samples.

/** @param {readonly number[]} samples */
export function median(samples) {
  return quantile(samples, 0.5);
}

/**
 * Returns the quantile of the samples, interpolated between two of them if necessary.
 *
 * @param {readonly number[]} samples
 * @param {number} part from 0 to 1
 */
export function quantile(samples, part) {
  const sorted = [...samples].sort((a, b) => a - b);
  const place = (sorted.length - 1) * part;
  const below = sorted[Math.floor(place)] ?? Number.NaN;
  const above = sorted[Math.ceil(place)] ?? Number.NaN;
  return below + (above - below) * (place - Math.floor(place));
}

/**
 * Returns the median, the smallest and the largest ratio of two rows of samples that were taken side by side.
 *
 * @typedef {{ median: number, low: number, high: number }} Ratio
 * @param {readonly number[]} samples
 * @param {readonly number[]} others
 * @returns {Ratio}
 */
export function ratio(samples, others) {
  const ratios = samples
    .slice(0, others.length)
    .map((sample, index) => sample / (others[index] ?? Number.NaN));
  return { median: median(ratios), low: Math.min(...ratios), high: Math.max(...ratios) };
}

/** @param {readonly number[]} values */
export function geometricMean(values) {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}
