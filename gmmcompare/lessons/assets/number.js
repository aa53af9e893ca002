const rows = DATA.rows, numbers = range(DATA.max_K).map((i) => i + 1);
let at = 0;
const row = () => rows[at];
const percent = (v) => (v < 0.005 ? "below 1\u00a0%" : `${fmt(100 * v)}\u00a0%`);

/** Bars of the posterior, and the prior as a step across each. */
function bars(p, before, after) {
  p.axes();
  numbers.forEach((k, i) => {
    const x0 = p.X(k - 0.36), x1 = p.X(k + 0.36);
    p.add("rect", { x: x0, y: p.Y(after[i]), width: x1 - x0, height: p.box.y0 - p.Y(after[i]), fill: "var(--c1)", rx: 2 });
    p.add("line", { x1: p.X(k - 0.46), x2: p.X(k + 0.46), y1: p.Y(before[i]), y2: p.Y(before[i]), stroke: "var(--c2)", "stroke-width": 2.5 });
  });
}
const of_bars = (xlabel) => ({ height: 210, x: [0.4, DATA.max_K + 0.6], y: [0, 0.66], xticks: numbers, yticks: [0, 0.2, 0.4, 0.6], yformat: (v) => `${fmt(100 * v)}\u00a0%`, xlabel, margin: { left: 44 } });
const widest = Math.max(...rows.flatMap((r) => r.predictive)) * 1.08;

const charts_of = [
  chart("#K", of_bars("K"), (p) => {
    bars(p, row().prior, row().prob);
    p.alt(`Probability of each number of components: most probable is ${row().best_K}, with ${percent(row().prob[row().best_K - 1])}.`);
  }),
  chart("#occupied", of_bars("K₊"), (p) => {
    bars(p, row().prior_occupied, row().prob_occupied);
    p.alt(`Probability of each number of occupied components: most probable is ${row().best}, with ${percent(row().prob_occupied[row().best - 1])}.`);
  }),
  chart("#next", { height: 210, x: [DATA.x[0], DATA.x.at(-1)], y: [0, widest], xlabel: "value", yticks: null, margin: { left: 8 } }, (p) => {
    p.axes();
    rows.forEach((r) => p.line(DATA.x, r.predictive, { stroke: "var(--rule)", "stroke-width": 1.2 }));
    p.line(DATA.x, row().predictive, { stroke: "var(--c1)", "stroke-width": 2.5 });
    const places = stacked(DATA.y.map((v) => v + 1e-9), 0.1);
    DATA.y.forEach((y, i) => p.add("circle", { cx: p.X(y), cy: p.box.y0 - 6 - 10 * places[i].row, r: 4.5, fill: "var(--ink)", stroke: "var(--raised)" }));
    p.alt(`The density predicted for the next value under ${row().name}, over the ${DATA.y.length} values.`);
  }),
  chart("#all", { height: 262, x: [0.5, 7.5], y: [rows.length, 0], xticks: range(7).map((i) => i + 1), yticks: null, xlabel: "K₊", margin: { left: 84, right: 4, top: 4 } }, (p) => {
    p.axes();
    rows.forEach((r, i) => {
      const top = p.Y(i) + 1.5, height = p.Y(i + 1) - p.Y(i) - 3;
      p.add("text", { x: 0, y: top + height / 2 + 4, class: i === at ? "strong" : undefined }, r.label);
      for (const k of range(7)) {
        const v = r.prob_occupied[k], x = p.X(k + 0.5) + 1.5;
        p.add("rect", { x, y: top, width: p.X(k + 1.5) - 3 - p.X(k + 0.5), height, rx: 3, fill: "var(--c1)", "fill-opacity": (0.04 + 1.4 * v).toFixed(3), stroke: i === at ? "var(--ink)" : "none", "stroke-width": 1 });
        if (v >= 0.095) p.add("text", { x: p.X(k + 1), y: top + height / 2 + 4, "text-anchor": "middle", class: "strong" }, fmt(100 * v));
      }
    });
    p.alt(`Table of all eight: the most probable numbers of occupied components are ${rows.map((r) => r.best).join(", ")}.`);
  }),
];

const sizes = DATA.growth.sizes, logs = sizes.map(Math.log10), exact = sizes.indexOf(DATA.growth.exact_to) + 1;
chart("#growth", { height: 230, x: [0, logs.at(-1)], y: [0, 1], xticks: [1, 2, 5, 10, 20, 50, 100, 200].map(Math.log10), xformat: (v) => fmt(10 ** v), yformat: (v) => `${fmt(100 * v)}\u00a0%`, xlabel: "N, values from one group", margin: { left: 48, right: 16 } }, (p) => {
  p.axes();
  const draw = (values, colour) => {
    p.line(logs.slice(0, exact), values.slice(0, exact), { stroke: colour, "stroke-width": 2.5 });
    p.line(logs.slice(exact - 1), values.slice(exact - 1), { stroke: colour, "stroke-dasharray": "5 4" });
    logs.slice(exact).forEach((x, i) => p.dot(x, values[exact + i], 5, { fill: colour, stroke: "var(--raised)", "stroke-width": 1.5 }));
  };
  draw(DATA.growth.mixture, "var(--c1)");
  draw(DATA.growth.process, "var(--c2)");
  const end = (v) => percent(v.at(-1));
  p.alt(`With ${sizes.at(-1)} values from one group the probability of one cluster is ${end(DATA.growth.process)} under the Dirichlet process and ${end(DATA.growth.mixture)} under a prior on K.`);
});

function story() {
  const r = row();
  const K = `Most probable are K = ${r.best_K} (${percent(r.prob[r.best_K - 1])}) and K₊ = ${r.best} (${percent(r.prob_occupied[r.best - 1])}).`;
  return `Prior: ${r.why}. ${K}`;
}

const steps = stepper("#steps", {
  label: "Prior", max: rows.length - 1, pace: 1500, say: (v) => `${v + 1}: ${rows[v].name}`,
  change: (v) => { at = v; charts_of.forEach((redraw) => redraw()); $("#say").textContent = story(); },
});
steps.start();
