// The charts, as SVG that follows the reader's choice of light or dark.

import { GROWTH } from "./sections.mjs";
import { median, ratio } from "./stats.mjs";
import { mean, ratios, whole } from "./targets.mjs";

/** Told apart by hue and by lightness, on white and on black. */
const COLOURS = ["#0b6bcb", "#d9730d", "#0a8f6a", "#a8479e", "#8a8d12", "#c43d3d", "#6b6f78"];

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
 * A picture of such a size.
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

/** A scale of logarithms: from `low` to `high`, onto `start` to `end`. */
function logarithmic(
  /** @type {number} */ low,
  /** @type {number} */ high,
  /** @type {number} */ start,
  /** @type {number} */ end,
) {
  return (/** @type {number} */ value) =>
    start + ((end - start) * Math.log(value / low)) / Math.log(high / low);
}

/** The times of all contenders relative to native, a row for each workload. */
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
      `<circle cx="${at}" cy="${line - 4}" r="5" fill="${COLOURS[index]}"/>`,
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
    // Ours is drawn last, above the others.
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
        const colour = COLOURS[names.indexOf(name)];
        content.push(
          `<circle cx="${fixed(x(figure))}" cy="${y}" r="${isMean ? 6.5 : 5}" fill="${colour}"><title>${name}: ${figure.toFixed(2)} ×</title></circle>`,
        );
      }
    });
  });
  return svg(width, height, "Time of each contender relative to native Luau", content);
}

/** What one of so many costs, in four fields. */
export function growthChart(/** @type {NonNullable<import("./results.js").Results["growth"]>} */ growth) {
  const [width, field, gap] = [880, 230, 60];
  const kinds = Object.entries(growth);
  const wide = (width - gap * 3) / 2;
  const height = Math.ceil(kinds.length / 2) * (field + gap) + 40;
  const content = [text(16, 24, "What one of so many costs; both axes are logarithmic", 'class="title"')];
  content.push(
    `<circle cx="500" cy="20" r="5" fill="${COLOURS[0]}"/>`,
    text(510, 24, "ours"),
    `<circle cx="570" cy="20" r="5" fill="${COLOURS[1]}"/>`,
    text(580, 24, "plain JavaScript"),
  );
  kinds.forEach(([kind, points], index) => {
    const left = gap + (index % 2) * (wide + gap);
    const top = 62 + Math.floor(index / 2) * (field + gap);
    const figures = points.flatMap(({ samples }) => Object.values(samples).map(median));
    const low = 10 ** Math.floor(Math.log10(Math.min(...figures)));
    const high = 10 ** Math.ceil(Math.log10(Math.max(...figures)));
    const counts = points.map(({ count }) => count);
    const x = logarithmic(Math.min(...counts), Math.max(...counts), left, left + wide);
    const y = logarithmic(low, high, top + field - 30, top + 14);
    const { unit } = GROWTH[/** @type {keyof typeof GROWTH} */ (kind)];
    content.push(text(left, top, `${kind}: ${unit}`, 'font-weight="600"'));
    for (let tick = low; tick <= high * 1.01; tick *= 10) {
      const at = fixed(y(tick));
      content.push(
        `<line class="line" x1="${fixed(left)}" x2="${fixed(left + wide)}" y1="${at}" y2="${at}"/>`,
        text(
          left - 6,
          y(tick) + 4,
          Number(tick.toPrecision(1)).toLocaleString("en", { maximumFractionDigits: 6 }),
          'text-anchor="end" class="faint"',
        ),
      );
    }
    for (const count of counts) {
      content.push(text(x(count), top + field - 12, countText(count), 'text-anchor="middle" class="faint"'));
    }
    ["plain", "ours"].forEach((name) => {
      const colour = name === "ours" ? COLOURS[0] : COLOURS[1];
      const path = points.flatMap(({ count, samples }) => {
        const row = samples[name];
        return row === undefined ? [] : [[x(count), y(median(row))]];
      });
      if (path.length > 0) {
        const line = path.map(([x, y]) => `${fixed(x ?? 0)},${fixed(y ?? 0)}`).join(" ");
        content.push(`<polyline points="${line}" fill="none" stroke="${colour}" stroke-width="2"/>`);
        for (const [x, y] of path) {
          content.push(`<circle cx="${fixed(x ?? 0)}" cy="${fixed(y ?? 0)}" r="4" fill="${colour}"/>`);
        }
      }
    });
  });
  return svg(
    width,
    height,
    "What one connection, sleeping thread, handler and byte costs, by how many there are",
    content,
  );
}

/** A count, and large ones as powers of two where they are such. */
function countText(/** @type {number} */ count) {
  if (count >= 1_048_576) {
    return `${count / 1_048_576} Mi`;
  }
  return count >= 1_024 && count % 1_024 === 0 ? `${count / 1_024} Ki` : whole(count);
}
