const rows = DATA.rows;
let at = 0;
const row = () => rows[at];
const powers = (v) => (v === 0 ? "1" : `10${superscript(v)}`);
const width = DATA.log_sigma[1] - DATA.log_sigma[0];
const posterior = rows.map((r) => r.sigma_cdf.map((v, i) => (i ? (v - r.sigma_cdf[i - 1]) / width : 0)));
const top_of = Math.max(...posterior.flat(), ...rows.flatMap((r) => r.prior_density)) * 1.05;
const percent = (v, digits) => `${fmt(100 * v, digits ?? (v > 0.99 || (v < 0.1 && v > 0) ? 1 : 0))}\u00a0%`;
const epsilon = (v) => (v < 0.01 ? v.toFixed(4) : v < 0.1 ? v.toFixed(3) : v.toFixed(2));

const charts_of = [
  chart("#prior", { height: 220, x: [-4, 6], y: [0, top_of], xticks: [-4, -2, 0, 2, 4, 6], xformat: powers, xlabel: "sd", yticks: null, margin: { left: 8 } }, (p) => {
    p.axes();
    const xs = DATA.log_sigma, zero = xs.map(() => 0);
    p.area(xs, zero, row().prior_density, { fill: "var(--c2)", "fill-opacity": 0.18 });
    p.line(xs, row().prior_density, { stroke: "var(--c2)" });
    p.area(xs, zero, posterior[at], { fill: "var(--c1)", "fill-opacity": 0.18 });
    p.line(xs, posterior[at], { stroke: "var(--c1)" });
    const wall = Math.log10(row().epsilon) / 2;
    p.rule(wall, { stroke: "var(--c2)", "stroke-dasharray": "4 3" });
    p.add("text", { x: p.X(wall) + 5, y: p.box.y1 + 14, style: "fill:var(--c2);font-weight:600" }, "wall");
    if (row().prior_above > 0.01) p.add("text", { x: p.box.x1, y: p.box.y1 + 14, "text-anchor": "end", class: "strong" }, `prior: ${percent(row().prior_above)} above 1,000 →`);
    if (row().prob_wide > 0.01) p.add("text", { x: p.box.x1, y: p.box.y1 + 32, "text-anchor": "end", class: "strong" }, `posterior: ${percent(row().prob_wide)} above 1,000 →`);
    p.alt(`Prior and posterior of a group’s sd: ${percent(row().prior_above)} of the prior and ${percent(row().prob_wide)} of the posterior lie above ${fmt(DATA.wide)}.`);
  }),
  chart("#empty", {
    height: 220, x: [Math.log10(rows[0].epsilon) - 0.25, Math.log10(rows.at(-1).epsilon)], y: [0, 1], xticks: [-4, -3, -2, -1, 0], xformat: powers, xlabel: "ε", margin: { left: 46, right: 16 },
    yformat: (v) => percent(v, 0), pick: (x) => { const off = rows.map((r) => Math.abs(Math.log10(r.epsilon) - x)); steps.set(off.indexOf(Math.min(...off))); },
  }, (p) => {
    p.axes();
    const xs = rows.map((r) => Math.log10(r.epsilon));
    p.line(xs, rows.map((r) => r.prob_empty), { stroke: "var(--accent)", "stroke-width": 2.5 });
    const f = DATA.fitting;
    p.level(f.prob_empty, { stroke: "var(--good)", "stroke-width": 2, "stroke-dasharray": "6 4" });
    p.text(p.domain.x[0], f.prob_empty, `InverseGamma(${f.shape}, ${f.scale}): ${percent(f.prob_empty)}`, { dx: 6, dy: -7, style: "fill:var(--good);font-weight:600" });
    p.dot(xs[at], row().prob_empty, 7, { fill: "var(--accent)", stroke: "var(--raised)", "stroke-width": 2 });
    p.alt(`Probability that a group is empty: ${percent(row().prob_empty)} at ε = ${epsilon(row().epsilon)}.`);
  }),
  chart("#next", { height: 200, x: [DATA.x[0], DATA.x.at(-1)], y: [0, 1.1 * Math.max(...rows.flatMap((r) => r.predictive))], xlabel: "value", xticks: [-4, -2, 0, 2, 4], yticks: null, margin: { left: 8 } }, (p) => {
    p.axes();
    p.area(DATA.x, DATA.x.map(() => 0), row().predictive, { fill: "var(--c1)", "fill-opacity": 0.15 });
    p.line(DATA.x, row().predictive, { stroke: "var(--c1)" });
    const places = stacked(DATA.y.map((v) => v + 1e-9), 0.1);
    DATA.y.forEach((y, i) => p.add("circle", { cx: p.X(y), cy: p.box.y0 - 6 - 10 * places[i].row, r: 4.5, fill: y === DATA.tie ? "var(--c2)" : "var(--ink)", stroke: "var(--raised)" }));
    p.add("text", { x: p.X(DATA.tie) + 10, y: p.box.y0 - 18 }, "a tie");
    p.alt("The predicted density of the next value, over the ten values.");
  }),
  chart("#ridge", { height: 200, x: [DATA.spike_axis[0], DATA.spike_axis.at(-1)], y: [-40, Math.max(...DATA.ml_spike) + 2], xticks: [-6, -4, -2, 0], xformat: powers, xlabel: "sd of the group on the tie", ylabel: "log density", margin: { left: 40, top: 24 } }, (p) => {
    p.axes();
    p.clip();
    p.line(DATA.spike_axis, DATA.ml_spike, { stroke: "var(--c2)", "stroke-dasharray": "6 4" });
    p.line(DATA.spike_axis, row().ridge, { stroke: "var(--c1)", "stroke-width": 2.5 });
    p.unclip();
    const { honest, spike, two_summits } = row(), best = row().ridge.indexOf(Math.max(...row().ridge));
    p.level(honest.height, { stroke: "var(--c1)", "stroke-dasharray": "3 3", "stroke-width": 1.5 });
    p.text(p.domain.x[1], honest.height, "height of the honest summit", { "text-anchor": "end", dy: -6, style: "fill:var(--c1);font-weight:600" });
    if (two_summits) {
      const x = Math.log10(Math.min(...spike.sigma));
      p.dot(x, spike.height, 5, { fill: "var(--c1)", stroke: "var(--raised)", "stroke-width": 2 });
      p.text(x, spike.height, `the spike: ${fmt(honest.height - spike.height, 1)} lower`, { "text-anchor": "middle", dy: 38, style: "fill:var(--c1);font-weight:600" });
    }
    p.alt(`The likelihood grows without end as the group narrows; the posterior density is highest at an sd of ${short(10 ** DATA.spike_axis[best])}.`);
  }),
];

function story() {
  const r = row(), two = r.two_summits;
  return `Some group is empty with probability ${percent(r.prob_empty)}. The sd of a given group exceeds ${fmt(DATA.wide)} with probability ${r.prob_wide < 1e-4 ? "below 0.01\u00a0%" : percent(r.prob_wide)}. ` +
    (two ? "The spike on the tie is a summit of its own." : "EM from the tie ends at the honest groups.");
}

const steps = stepper("#steps", {
  label: "ε", max: rows.length - 1, pace: 450,
  say: (v) => `InverseGamma(${epsilon(rows[v].epsilon)}, ${epsilon(rows[v].epsilon)})`,
  change: (v) => { at = v; charts_of.forEach((redraw) => redraw()); $("#say").textContent = story(); },
});
steps.start();
