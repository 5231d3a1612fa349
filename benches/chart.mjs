// The chart, as SVG that follows the reader's choice of light or dark.

import { mean, ratios } from "./ratios.mjs";
import { ratio } from "./stats.mjs";

/** The colors, which differ in hue and lightness, on white and on black. */
const COLORS = ["#0b6bcb", "#d9730d", "#0a8f6a", "#a8479e", "#8a8d12", "#c43d3d", "#6b6f78"];

const STYLE = `<style>
  text { font: 12px system-ui, sans-serif; fill: #24292f }
  .title { font-weight: 600; font-size: 14px }
  .faint { fill: #59636e }
  .line { stroke: #d1d9e0 } .base { stroke: #59636e }
  .back { fill: #ffffff }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } .faint { fill: #9198a1 } .line { stroke: #3d444d } .base { stroke: #9198a1 } .back { fill: #0d1117 }
  }
</style>`;

/**
 * Returns a picture of this size.
 *
 * @param {number} width
 * @param {number} height
 * @param {string} label
 * @param {string[]} content
 */
function svg(width, height, label, content) {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${label}">
${STYLE}
<rect class="back" width="${width}" height="${height}"/>
${content.join("\n")}
</svg>
`;
}

/**
 * @param {number} x
 * @param {number} y
 * @param {string} content
 * @param {string} [attributes]
 */
function text(x, y, content, attributes = "") {
  return `<text x="${fixed(x)}" y="${fixed(y)}" ${attributes}>${content.replaceAll("&", "&amp;").replaceAll("<", "&lt;")}</text>`;
}

const fixed = (/** @type {number} */ figure) => figure.toFixed(1);

/** Returns a logarithmic scale that maps `low` to `high` onto `start` to `end`. */
function logarithmic(
  /** @type {number} */ low,
  /** @type {number} */ high,
  /** @type {number} */ start,
  /** @type {number} */ end,
) {
  return (/** @type {number} */ value) =>
    start + ((end - start) * Math.log(value / low)) / Math.log(high / low);
}

/** Draws the times of all contenders relative to native, with a row for each workload. */
export function vmChart(/** @type {import("./vm.mjs").Table} */ table) {
  const names = [...new Set(Object.values(table).flatMap(({ samples }) => Object.keys(samples)))].filter(
    (name) => name !== "native",
  );
  const workloads = Object.keys(table);
  const [width, left, right, top, step] = [880, 124, 20, 78, 22];
  const rows = [...workloads, "geometric mean"];
  const height = top + rows.length * step + 36;
  const points = names.flatMap((name) => ratios(table, name, "native").map(({ median }) => median));
  const low = Math.min(0.5, ...points);
  const high = Math.max(2, ...points) * 1.1;
  const x = logarithmic(low, high, left, width - right);
  const bottom = height - 30;
  const content = [text(16, 24, "Time relative to native Luau, less is better", 'class="title"')];
  names.forEach((name, index) => {
    const at = left + (index % 4) * 185;
    const line = 44 + Math.floor(index / 4) * 18;
    content.push(
      `<circle cx="${at}" cy="${line - 4}" r="5" fill="${COLORS[index]}"/>`,
      text(at + 10, line, name),
    );
  });
  for (const tick of [0.25, 0.5, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512].filter(
    (tick) => tick >= low && tick <= high,
  )) {
    const at = fixed(x(tick));
    content.push(
      `<line class="${tick === 1 ? "base" : "line"}" x1="${at}" x2="${at}" y1="${top - 8}" y2="${bottom}"/>`,
      text(x(tick), bottom + 16, `${tick} ×`, 'text-anchor="middle" class="faint"'),
    );
  }
  rows.forEach((row, index) => {
    const y = top + index * step + 8;
    const isMean = index === workloads.length;
    content.push(text(left - 10, y + 4, row, `text-anchor="end"${isMean ? ' font-weight="600"' : ""}`));
    // Ours is drawn last, on top of the others.
    [...names].reverse().forEach((name) => {
      const samples = table[row]?.samples ?? {};
      const [mine, base] = [samples[name], samples.native];
      const list = isMean ? ratios(table, name, "native") : [];
      const figure = isMean
        ? list.length > 0
          ? mean(list)
          : undefined
        : mine !== undefined && base !== undefined
          ? ratio(mine, base).median
          : undefined;
      if (figure !== undefined) {
        const color = COLORS[names.indexOf(name)];
        content.push(
          `<circle cx="${fixed(x(figure))}" cy="${y}" r="${isMean ? 6.5 : 5}" fill="${color}"><title>${name}: ${figure.toFixed(2)} ×</title></circle>`,
        );
      }
    });
  });
  return svg(width, height, "Time of each contender relative to native Luau", content);
}
