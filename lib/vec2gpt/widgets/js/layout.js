// layout.js: what more than one view draws with: bars, shaded matrices, points that fit a picture, labels beside them.

/** Words and numbers from 0 to 1 as bars: rows of [key, word, number]; the one at place `at` is marked. */
export const bars = (rows, at) => `<ol class="v2g-bars">${rows.map(([key, word, x], k) =>
  `<li data-key="${esc(key)}"${k === at ? ' class="at"' : ""}><span>${esc(word)}</span>` +
  `<i style="--x:${clamp(x, 0, 1).toFixed(3)}"></i><span>${x.toFixed(2)}</span></li>`).join("")}</ol>`;

/** A matrix of numbers from 0 to 1 as shades of a colour, cells of `wide` × `high`; nearly 0 stays blank. Each of eight shades
    is one path, and equal neighbours in a row one piece of it: thousands of rectangles would be slow. */
export function shaded(rows, wide, high, colour) {
  const paths = Array(9).fill(""), shade = (x) => clamp(Math.ceil(8 * x - 0.25), 0, 8), at = (x) => +x.toFixed(2);
  rows.forEach((row, t) => {
    for (let s = 0, end; s < row.length; s = end) {
      for (end = s + 1; end < row.length && shade(row[end]) === shade(row[s]);) end++;
      paths[shade(row[s])] += `M${at(s * wide)} ${at(t * high)}h${at((end - s) * wide)}v${at(high)}H${at(s * wide)}z`;
    }
  });
  return paths.map((d, k) => (d && k ? `<path d="${d}" fill="${colour}" fill-opacity="${k / 8}"/>` : "")).join("");
}

/** A function that brings points [x, y], y upwards, into a picture so that all of `points` fit, both axes on one scale. */
export function fitted(points, width, height, [across, down]) {
  const [x, y] = [0, 1].map((k) => points.map((point) => point[k])).map((all) => [Math.min(...all), Math.max(...all)]);
  const scale = Math.min((width - 2 * across) / Math.max(x[1] - x[0], 1e-6), (height - 2 * down) / Math.max(y[1] - y[0], 1e-6));
  return (point) => [width / 2 + (point[0] - (x[0] + x[1]) / 2) * scale, height / 2 - (point[1] - (y[0] + y[1]) / 2) * scale];
}

const SIDES = [[1, 0], [-1, 0], [0, -1], [0, 1], [1, -1], [-1, -1], [1, 1], [-1, 1]];
const common = ([a, b, c, d], [e, f, g, h]) => Math.max(0, Math.min(c, g) - Math.max(a, e)) * Math.max(0, Math.min(d, h) - Math.max(b, f));

/** Where beside its point each label stands so that they cover each other least: points {x, y, text}, important ones
    first, → {dx, dy, anchor, side, covered}, covered the share of it that something covers. A point's own `side`,
    [right, down] of -1, 0 or 1, is kept. */
export function labelled(points, width, height, size) {
  const taken = points.map(({ x, y }) => [x - 5, y - 5, x + 5, y + 5]);
  return points.map(({ x, y, text, side }) => {
    const w = text.length * size * 0.55, h = size, spots = (side ? [side] : SIDES).map(([right, down]) => {
      const cx = right * (w / 2 + (down ? 3 : 8)), cy = down * (h / 2 + 6), box = [x + cx - w / 2, y + cy - h / 2, x + cx + w / 2, y + cy + h / 2];
      const covered = taken.reduce((sum, other) => sum + common(box, other), 3 * (w * h - common(box, [0, 0, width, height]))) / (w * h || 1);
      return { box, dx: cx - (right * w) / 2, dy: cy + size * 0.35, anchor: ["end", "middle", "start"][right + 1], side: [right, down], covered };
    });
    const { box, ...spot } = spots.reduce((a, b) => (b.covered < a.covered - 0.01 ? b : a));
    if (spot.covered < 0.5) taken.push(box);
    return spot;
  });
}
