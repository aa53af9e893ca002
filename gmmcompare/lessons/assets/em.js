const byName = Object.fromEntries(DATA.paths.map((p) => [p.name, p]));
const honest = DATA.paths.filter((p) => p.name !== "point").flatMap((p) => p.log_lik);
const top_of = Math.max(...honest);
let path = byName.quantiles, step = 0;

const low = Math.floor(DATA.y[0]) - 2, high = Math.ceil(DATA.y.at(-1)) + 2;
const column = 0.75;
const places = stacked(DATA.y, column);
const tallest = Math.max(...places.map((p) => p.row)) + 1;
/** The height of a group's curve at its mean, in dots. */
const curve_top = (k) => (path.w[step][k] * normal(0, 0, path.sigma[step][k])) * DATA.y.length * column;
const state = () => [path.w[step], path.mu[step], path.sigma[step]];

const STORY = {
  ends: "Well placed: each group starts near galaxies of its own.",
  quantiles: "All groups start wide. They quarrel over the middle for a while.",
  equal: "Three equal groups claim a third of every galaxy.",
  nudged: "Almost equal: the means differ by a thousandth of the data’s sd.",
  point: "Group 3 starts on the fastest galaxy, a seventh as wide as the gap to its neighbour.",
};

const SMALL = 0.1; // a rise that is hard to see on the curve

function story() {
  const last = path.log_lik.length - 1;
  const gain = path.gain[step], next_rise = path.gain.findIndex((g, i) => i > step && g >= SMALL);
  if (step === 0) return STORY[path.name];
  if (path.name === "equal") return step === 1
    ? "One step, and all three groups are the plain normal curve of all galaxies."
    : `Step ${step}: nothing moves. Every group gets the same share of every galaxy, so every group stays.`;
  if (path.name === "point" && step === last) return `Group 3 owns one galaxy and its sd is ${short(path.sigma[step][2])}: only rounding keeps it from zero.`;
  if (step === last) return `Settled after ${last} steps. No step gains any more.`;
  if (gain < SMALL && next_rise > 0) return `The log-likelihood rises by only ${short(gain)} here. Is it over? Keep dragging.`;
  if (gain < SMALL) return `Nearly settled: this step gains ${short(gain)}, and no large rise follows.`;
  return `The log-likelihood rises by ${short(gain)}. It never falls.`;
}

const figure = chart("#points", {
  height: (w) => Math.min(340, 120 + (tallest * column * (w - 16)) / (high - low)), x: [low, high], y: [0, 1], yticks: null,
  xlabel: DATA.label, margin: { left: 8, right: 8, top: 14 },
}, (p) => {
  const [w, mu, sigma] = state();
  const ribbon = 46, base = p.box.y0 - ribbon - 24;
  const xs = grid(low, high, 401);
  p.axes();
  // Curves, above; heights in expected galaxies per column, like the dots.
  const unit = Math.min((base - p.box.y1 - 6) / tallest, (p.box.x1 - p.box.x0) / ((high - low) / column));
  const curve = (values) => "M" + xs.map((x, i) => `${p.X(x).toFixed(1)},${(base - Math.min(900, values[i] * DATA.y.length * column * unit)).toFixed(1)}`).join("L");
  p.clip();
  const joint = xs.map((x) => parts(x, w, mu, sigma));
  const equal = new Set(mu).size === 1;
  w.forEach((_, k) => {
    p.add("path", { d: curve(joint.map((j) => j[k])), class: "line", stroke: COLOURS[k], "stroke-width": equal ? 6 - 2 * k : 2.5, "stroke-dasharray": equal && k ? `${4 * k} 6` : undefined });
  });
  p.add("path", { d: curve(joint.map((j) => j.reduce((a, b) => a + b))), class: "line", stroke: "var(--ink)", "stroke-width": 1.2, "stroke-dasharray": "1 3" });
  p.unclip();
  DATA.y.forEach((y, i) => p.add("circle", {
    cx: p.X(places[i].x).toFixed(1), cy: (base - (places[i].row + 0.5) * unit).toFixed(1), r: (unit * 0.42).toFixed(1),
    fill: blend(responsibilities(y, w, mu, sigma)), stroke: "var(--raised)", "stroke-width": 0.5,
  }));
  w.forEach((_, k) => {
    // A curve too high for the picture may also be too narrow to be seen: an arrow says where.
    if (curve_top(k) * unit < base - p.box.y1) return;
    const x = p.X(mu[k]).toFixed(1);
    p.add("path", { d: `M${x},${base}V${p.box.y1 + 12}`, class: "line", stroke: COLOURS[k], "stroke-width": 2.5 });
    p.add("path", { d: `M${x},${p.box.y1}l5,12h-10z`, fill: COLOURS[k], "data-arrow": k });
  });
  w.forEach((_, k) => {
    const x = clamp(p.X(mu[k]), p.box.x0 + 6, p.box.x1 - 6);
    const y = base + 1;
    p.add("path", { d: `M${x},${y - 9}l5,9h-10z`, fill: COLOURS[k], stroke: "var(--raised)" });
  });
  // The ribbon: how a galaxy at each velocity would be shared.
  const shares = xs.map((x) => responsibilities(x, w, mu, sigma));
  const at = p.box.y0 - ribbon;
  let below = xs.map(() => 0);
  w.forEach((_, k) => {
    const above = below.map((b, i) => b + shares[i][k]);
    const edge = (v) => xs.map((x, i) => `${p.X(x).toFixed(1)},${(at + ribbon * v[i]).toFixed(1)}`);
    p.add("path", { d: `M${edge(below).join("L")}L${edge(above).reverse().join("L")}Z`, fill: COLOURS[k], "fill-opacity": 0.8 });
    below = above;
  });
  p.add("text", { x: p.box.x0 + 2, y: p.box.y1 + 2 }, "galaxies, and the three groups’ curves");
  p.add("text", { x: p.box.x0 + 2, y: at - 6 }, "who claims what: responsibilities");
  p.alt(`Step ${step}. Group means ${mu.map((v) => fmt(v, 2)).join(", ")}; log-likelihood ${fmt(path.log_lik[step], 2)}.`);
});

const heights = chart("#height", {
  height: 190, xlabel: "step", margin: { left: 52, top: 16 },
  x: () => [0, Math.max(5, path.log_lik.length - 1)],
  y: () => [Math.min(...path.log_lik.slice(1), -250) - 3, Math.max(top_of, ...path.log_lik) + 6],
  pick: (x) => steps.set(Math.round(x)),
}, (p) => {
  p.axes();
  p.level(top_of, { "stroke-dasharray": "5 4" });
  p.text(p.domain.x[1], top_of, "best honest summit", { "text-anchor": "end", dy: -5 });
  p.clip();
  const so_far = range(step + 1);
  p.line(range(path.log_lik.length), path.log_lik, { stroke: "var(--rule)" });
  p.line(so_far, so_far.map((i) => path.log_lik[i]), { stroke: "var(--accent)", "stroke-width": 2.5 });
  p.unclip();
  p.dot(step, Math.max(path.log_lik[step], p.domain.y[0]), 6, { fill: "var(--accent)", stroke: "var(--raised)", "stroke-width": 2 });
  p.alt(`Log-likelihood at each step; ${fmt(path.log_lik[step], 2)} at step ${step}; the best honest summit is ${fmt(top_of, 2)}.`);
});

const steps = stepper("#steps", {
  label: "Step", max: path.log_lik.length - 1, pace: 300,
  say: (v) => `${v} of ${path.log_lik.length - 1} · log-likelihood ${fmt(path.log_lik[v], 2)}`,
  change: (v) => {
    step = v;
    figure();
    heights();
    $("#say").textContent = story();
    const [w, mu, sigma] = state();
    fill("#groups", w.map((_, k) => [{ html: `${swatch(k)} ${k + 1}` }, fmt(w[k], 3), fmt(mu[k], 2), short(sigma[k])]));
  },
});
choices("#starts", (name) => {
  path = byName[name];
  step = 0;
  steps.limit(path.log_lik.length - 1);
});
steps.start();
