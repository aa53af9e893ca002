const rows = DATA.rows;
let at = 0;
const row = () => rows[at];
const truth = DATA.true_groups;
const edges = [DATA.x[0], DATA.x.at(-1)];
const tallest = 1.15;
const size = (v) => fmt(v, 3).replace(/0$/, "");
const nearest = (x) => { const off = rows.map((r) => Math.abs(r.size - x)); steps.set(off.indexOf(Math.min(...off))); };
const by_size = { x: [0, rows.at(-1).size], xlabel: "size of the error", margin: { left: 42, right: 14 }, pick: nearest };
/** Below this a group is drawn as one line: its density is off the picture. */
const spike = 0.05;

const charts_of = [
  chart("#move", { height: 190, x: edges, y: [0, 1], xlabel: "value", yticks: null, margin: { left: 10, top: 26 } }, (p) => {
    p.axes();
    const top = 0.93, low = 0.1;
    p.add("text", { x: p.box.x0, y: p.box.y1 - 8, class: "strong" }, "measured");
    p.add("text", { x: p.box.x1, y: p.box.y0 - 2, "text-anchor": "end", class: "strong" }, "true");
    DATA.y.forEach((y, i) => {
      const colour = blend(row().r[i]), pale = 1.15 - 0.5 * DATA.quality[i];
      p.line([y, row().mean[i]], [top, low], { stroke: colour, "stroke-width": 1.4, "stroke-opacity": pale });
      p.dot(y, top, 3, { fill: colour, "fill-opacity": pale });
      p.dot(row().mean[i], low, 3, { fill: colour, "fill-opacity": pale });
    });
    p.alt(`${DATA.y.length} planets, each moved from its measured value towards its group; the farthest by ${fmt(farthest(), 2)}.`);
  }),
  chart("#density", { height: 210, x: edges, y: [0, tallest], xlabel: "value", yticks: null, margin: { left: 10 } }, (p) => {
    p.axes();
    p.clip();
    const zero = DATA.x.map(() => 0);
    row().parts.forEach((part, k) => {
      if (row().sigma[k] < spike) return p.rule(row().mu[k], { stroke: COLOURS[k], "stroke-width": 3 });
      p.area(DATA.x, zero, part, { fill: COLOURS[k], "fill-opacity": 0.18 });
      p.line(DATA.x, part, { stroke: COLOURS[k] });
    });
    p.line(DATA.x, row().measured, { stroke: "var(--ink)", "stroke-width": 2.5 });
    p.unclip();
    DATA.y.forEach((y) => p.add("line", { x1: p.X(y), x2: p.X(y), y1: p.box.y0, y2: p.box.y0 - 8, stroke: "var(--ink)", "stroke-opacity": 0.6 }));
    p.alt(`The density of measured values is as wide as before; the groups of true values have sds of ${row().sigma.map((v) => fmt(v, 2)).join(" and ")}.`);
  }),
  chart("#sds", { ...by_size, height: 200, y: [0, 0.65] }, (p) => {
    p.axes();
    range(DATA.K).forEach((k) => {
      p.level(truth.sigma[k], { stroke: COLOURS[k], "stroke-dasharray": "4 4" });
      p.line(rows.map((r) => r.size), rows.map((r) => r.sigma[k]), { stroke: COLOURS[k], "stroke-width": 2.5 });
      p.dot(row().size, row().sigma[k], 6, { fill: COLOURS[k], stroke: "var(--raised)", "stroke-width": 2 });
    });
    made_with(p);
    p.alt(`Sds of the two groups for each size of the error: ${row().sigma.map((v) => fmt(v, 2)).join(" and ")} at ${size(row().size)}.`);
  }),
  chart("#off", { ...by_size, height: 200, y: [0.36, 0.46] }, (p) => {
    p.axes();
    p.level(DATA.measured_off, { stroke: "var(--ink)", "stroke-dasharray": "4 4" });
    p.text(p.domain.x[0], DATA.measured_off, "measured values", { dx: 6, dy: -6 });
    p.line(rows.map((r) => r.size), rows.map((r) => r.off), { stroke: "var(--accent)", "stroke-width": 2.5 });
    p.dot(row().size, row().off, 6, { fill: "var(--accent)", stroke: "var(--raised)", "stroke-width": 2 });
    made_with(p);
    p.alt(`Shrunk values are ${fmt(row().off, 3)} from the true ones at a size of ${size(row().size)}, measured values ${fmt(DATA.measured_off, 3)}.`);
  }),
];

function made_with(p) {
  p.rule(DATA.true_size, { "stroke-dasharray": "2 3" });
  p.text(DATA.true_size, p.domain.y[0], "made with", { dx: -5, dy: -6, "text-anchor": "end" });
}

function farthest() {
  return Math.max(...DATA.y.map((y, i) => Math.abs(y - row().mean[i])));
}

function story() {
  const r = row(), sds = r.sigma.map((v) => fmt(v, 2)).join(" and ");
  if (r.size === 0) return `No error: what is measured is true. The groups have sds of ${sds}, and no planet moves.`;
  const collapsed = r.sigma.findIndex((v) => v < spike);
  const end = collapsed >= 0 ? ` The errors account for all of the spread of the ${["left", "right"][collapsed]} group: its planets are said to be equal.`
    : at === DATA.at_truth ? ` This is the size the data were made with: sds of ${truth.sigma.map((v) => fmt(v, 2)).join(" and ")}.` : "";
  return `The groups have sds of ${sds}; the planet that moves farthest moves by ${fmt(farthest(), 2)}. Shrunk values are ${fmt(r.off, 3)} from the truth, measured ones ${fmt(DATA.measured_off, 3)}.${end}`;
}

const steps = stepper("#steps", {
  label: "Size of the error", max: rows.length - 1, pace: 350,
  say: (v) => size(rows[v].size),
  change: (v) => { at = v; charts_of.forEach((redraw) => redraw()); $("#say").textContent = story(); },
});
steps.start();
