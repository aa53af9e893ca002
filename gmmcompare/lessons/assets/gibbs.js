const N = DATA.y.length, K = DATA.K, SWEEPS = DATA.mu.length;
const low = Math.floor(DATA.y[0]) - 2, high = Math.ceil(DATA.y.at(-1)) + 2, column = 0.75;
const places = stacked(DATA.y, column);
const tallest = Math.max(...places.map((p) => p.row)) + 1;
const STEPS = ["z", "w", "mu", "sigma"];

// A stop is [sweep, step]: four to a sweep at first, then one.
const stops = [[0, -1]];
for (let s = 1; s <= SWEEPS; s++) {
  if (s <= DATA.in_steps) range(4).forEach((i) => stops.push([s, i]));
  else stops.push([s, 4]);
}
let sweep = 0, part = -1;

/** The value of a parameter at this stop: drawn already in this sweep, or still the last one. */
function current(name) {
  const drawn = STEPS.indexOf(name) <= part;
  const s = drawn ? sweep : sweep - 1;
  return s < 1 ? DATA.start[name] : DATA[name][s - 1];
}
const allocations = () => (sweep < 1 ? null : [...DATA.z[sweep - 1]].map(Number));

const curveOf = (p, xs, base, unit, f) => {
  const values = xs.map(f);
  return "M" + xs.map((x, i) => `${p.X(x).toFixed(1)},${(base - Math.min(900, values[i] * N * column * unit)).toFixed(1)}`).join("L");
};

const figure = chart("#points", {
  height: (w) => Math.min(310, 80 + (tallest * column * (w - 16)) / (high - low)), x: [low, high], y: [0, 1], yticks: null,
  xlabel: DATA.label, margin: { left: 8, right: 8, top: 18 },
}, (p) => {
  const w = current("w"), mu = current("mu"), sigma = current("sigma"), z = allocations();
  const base = p.box.y0 - 8, xs = grid(low, high, 301);
  const unit = Math.min((base - p.box.y1 - 6) / tallest, (p.box.x1 - p.box.x0) / ((high - low) / column));
  p.axes();
  p.clip();
  const first = Math.max(1, sweep - 30);
  for (let s = first; s < sweep; s++) {
    const [a, b, c] = [DATA.w[s - 1], DATA.mu[s - 1], DATA.sigma[s - 1]];
    p.add("path", { d: curveOf(p, xs, base, unit, (x) => parts(x, a, b, c).reduce((u, v) => u + v)), class: "line", stroke: "var(--muted)", "stroke-opacity": 0.18, "stroke-width": 1 });
  }
  const equal = sweep < 1;
  range(K).forEach((k) => p.add("path", {
    d: curveOf(p, xs, base, unit, (x) => w[k] * normal(x, mu[k], sigma[k])), class: "line", stroke: COLOURS[k],
    "stroke-width": equal ? 8 - 2 * k : 2.5, "stroke-dasharray": equal && k ? `${4 * k} 6` : undefined,
  }));
  p.unclip();
  DATA.y.forEach((y, i) => p.add("circle", {
    cx: p.X(places[i].x).toFixed(1), cy: (base - (places[i].row + 0.5) * unit).toFixed(1), r: (unit * 0.42).toFixed(1),
    fill: z ? COLOURS[z[i]] : "var(--muted)", stroke: "var(--raised)", "stroke-width": 0.5,
  }));
  range(K).forEach((k) => {
    const x = clamp(p.X(mu[k]), p.box.x0 + 6, p.box.x1 - 6);
    p.add("path", { d: `M${x},${base - 8}l5,9h-10z`, fill: COLOURS[k], stroke: "var(--raised)" });
  });
  p.add("text", { x: p.box.x0 + 2, y: 12 }, "colour: the group; grey: recent sweeps");
  const sizes = z ? range(K).map((k) => z.filter((v) => v === k).length) : null;
  p.alt(`Sweep ${sweep}. ${sizes ? `The groups hold ${sizes.join(", ")} galaxies. ` : ""}Means ${mu.map((v) => fmt(v, 2)).join(", ")}.`);
});

const jump = (x) => {
  const s = clamp(Math.round(x), 0, SWEEPS);
  steps.set(s <= DATA.in_steps ? 4 * s : 4 * DATA.in_steps + s - DATA.in_steps);
};
const shade = (p) => p.add("rect", { x: p.X(0), y: p.box.y1, width: p.X(DATA.burn_in) - p.X(0), height: p.box.y0 - p.box.y1, fill: "var(--soft)" });

const heights = chart("#height", {
  height: 200, xlabel: "sweep, or step of EM", margin: { left: 48, top: 14 }, x: [0, SWEEPS],
  y: [Math.min(...DATA.log_lik.slice(2), DATA.em_log_lik[1]) - 8, Math.max(...DATA.log_lik) + 4], pick: jump,
}, (p) => {
  shade(p);
  p.axes();
  p.clip();
  p.line([...range(DATA.em_log_lik.length), SWEEPS], [...DATA.em_log_lik, DATA.em_log_lik.at(-1)], { stroke: "var(--c2)", "stroke-dasharray": "6 4" });
  p.line(range(SWEEPS + 1), DATA.log_lik, { stroke: "var(--rule)", "stroke-width": 1.2 });
  p.line(range(sweep + 1), DATA.log_lik.slice(0, sweep + 1), { stroke: "var(--accent)", "stroke-width": 1.8 });
  p.unclip();
  p.dot(sweep, Math.max(p.domain.y[0], DATA.log_lik[sweep]), 5.5, { fill: "var(--accent)", stroke: "var(--raised)", "stroke-width": 2 });
  p.text(SWEEPS, DATA.em_log_lik.at(-1), "EM stands still", { "text-anchor": "end", dy: -6 });
  p.text(DATA.burn_in / 2, p.domain.y[0], "burn-in", { "text-anchor": "middle", dy: -6 });
  p.alt(`Log-likelihood by sweep: ${fmt(DATA.log_lik[sweep], 1)} at sweep ${sweep}. EM from the same start stays at ${fmt(DATA.em_log_lik.at(-1), 1)}.`);
});

const means = chart("#trace", {
  height: 200, xlabel: "sweep", margin: { left: 32, top: 14 }, x: [0, SWEEPS], y: [low, high], pick: jump,
}, (p) => {
  shade(p);
  p.axes();
  p.clip();
  range(K).forEach((k) => {
    const values = [DATA.start.mu[k], ...DATA.mu.map((m) => m[k])];
    p.line(range(SWEEPS + 1), values, { stroke: COLOURS[k], "stroke-width": 1, "stroke-opacity": 0.3 });
    p.line(range(sweep + 1), values.slice(0, sweep + 1), { stroke: COLOURS[k], "stroke-width": 1.6 });
  });
  p.rule(sweep, { "stroke-dasharray": "2 3" });
  p.unclip();
  p.alt(`The means by sweep, now ${current("mu").map((v) => fmt(v, 2)).join(", ")}.`);
});

function story() {
  if (sweep === 0) return "All groups are equal. EM would stay here for ever.";
  const z = allocations(), sizes = range(K).map((k) => z.filter((v) => v === k).length);
  const list = (values, digits) => values.map((v) => fmt(v, digits)).join(", ");
  if (part === 0) return sweep === 1
    ? `Every galaxy tosses a fair coin with ${K} sides. The groups get ${list(sizes)} galaxies: not the same ones, and not the same number.`
    : `z: every galaxy tosses a weighted coin. The groups hold ${list(sizes)}.`;
  if (part === 1) return `w: the weights are drawn around the shares of galaxies: ${list(current("w"), 2)}.`;
  if (part === 2) return `μ: each mean is drawn around the average of its group: ${list(current("mu"), 2)}.`;
  if (part === 3) return `σ: each sd is drawn around the spread of its group: ${list(current("sigma"), 2)}.`;
  if (sweep <= DATA.burn_in) return "Still burn-in: these sweeps remember the start and are thrown away.";
  return "No summit, no standstill: every sweep is another plausible account of the same galaxies.";
}

const steps = stepper("#steps", {
  label: "Sweep", max: stops.length - 1, pace: 350,
  say: (v) => `${stops[v][0]} of ${SWEEPS} · log-likelihood ${fmt(DATA.log_lik[stops[v][0]], 1)}`,
  change: (v) => {
    [sweep, part] = stops[v];
    for (const light of document.querySelectorAll("#lights li")) {
      const on = part === 4 || STEPS[part] === light.dataset.step;
      light.classList.toggle("on", on);
      if (on) light.setAttribute("aria-current", "step"); else light.removeAttribute("aria-current");
    }
    figure(); heights(); means();
    $("#say").textContent = story();
  },
});
steps.start();

chart("#cloud", {
  height: 240, x: [low, high], y: [0, 0.28], xlabel: DATA.label, yticks: null, margin: { left: 8, top: 8 },
}, (p) => {
  const xs = grid(low, high, 181), c = DATA.long.cloud, m = DATA.long.map;
  p.axes();
  p.clip();
  c.w.forEach((w, i) => p.line(xs, xs.map((x) => parts(x, w, c.mu[i], c.sigma[i]).reduce((a, b) => a + b)), { stroke: "var(--accent)", "stroke-width": 1, "stroke-opacity": 0.16 }));
  p.line(xs, xs.map((x) => parts(x, m.w, m.mu, m.sigma).reduce((a, b) => a + b)), { "stroke-dasharray": "5 4", "stroke-width": 1.6 });
  p.unclip();
  DATA.y.forEach((y) => p.add("line", { x1: p.X(y), x2: p.X(y), y1: p.box.y0, y2: p.box.y0 - 6, stroke: "var(--muted)" }));
  p.alt("Many plausible density curves: they agree on the slow and the fast galaxies, and differ in the middle.");
});

chart("#acf", {
  height: 240, x: [0, DATA.long.slow.acf.length - 1], y: [-0.1, 1], xlabel: "lag (sweeps)", margin: { left: 34, top: 8 },
}, (p) => {
  p.axes();
  // No group's colour: the groups of this long run are other than those of the sweeps above.
  for (const [key, dashes, y] of [["slow", undefined, 0.92], ["fast", "5 4", 0.81]]) {
    const q = DATA.long[key], text = p.add("text", { x: p.box.x1, y: p.Y(y), "text-anchor": "end", class: "strong" }, q.name);
    p.line(range(q.acf.length), q.acf, { "stroke-width": 2.2, "stroke-dasharray": dashes });
    const left = p.box.x1 - text.getComputedTextLength() - 8;
    p.add("path", { d: `M${left - 24},${p.Y(y) - 4}H${left}`, class: "line", stroke: "var(--ink)", "stroke-width": 2.2, "stroke-dasharray": dashes });
  }
  p.alt(`Autocorrelation by lag: that of the ${DATA.long.slow.name} dies out slowly, of the ${DATA.long.fast.name} at once.`);
});
