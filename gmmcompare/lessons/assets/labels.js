const C = DATA.crossing, T = DATA.trap, total = C.w.length;
let way = "sorted", at = 0;
const labels = () => C.labels[way];
/** Index, as drawn, of the group that is called k in draw i. */
const who = (i, k) => labels()[i][k];
const mus = C.mu.flat(), sds = C.sigma.flat().map(Math.log10);
const pad = (values, share = 0.06) => { const a = Math.min(...values), b = Math.max(...values); return [a - share * (b - a), b + share * (b - a)]; };
const spread = [Math.min(...C.y), Math.max(...C.y)];
const tallest = Math.max(...range(total).map((i) => Math.max(...[0, 1].map((k) => C.w[i][k] / C.sigma[i][k])))) * 0.4;

const curves = chart("#curves", { height: 230, x: spread, y: [0, tallest * 1.05], yticks: null, margin: { left: 8, bottom: 36 }, xlabel: "value" }, (p) => {
  p.axes();
  const xs = grid(...spread, 241);
  for (const k of [0, 1]) {
    const j = who(at, k);
    const ys = xs.map((x) => C.w[at][j] * normal(x, C.mu[at][j], C.sigma[at][j]));
    p.area(xs, xs.map(() => 0), ys, { fill: COLOURS[k], "fill-opacity": 0.15 });
    p.line(xs, ys, { stroke: COLOURS[k], "stroke-width": 2.2 });
    p.rule(C.mu[at][j], { stroke: COLOURS[k], "stroke-dasharray": k ? "2 3" : "6 3", "stroke-width": 1.5 });
  }
  C.y.forEach((y) => p.add("line", { x1: p.X(y), x2: p.X(y), y1: p.box.y0, y2: p.box.y0 - 5, stroke: "var(--muted)", "stroke-opacity": 0.6 }));
  p.alt(story());
});

const cloud = chart("#cloud", {
  height: 230, x: pad(mus), y: pad(sds), xlabel: "mean", ylabel: "sd", margin: { left: 44, top: 24 },
  yticks: [0.02, 0.05, 0.1, 0.2].map(Math.log10).filter((v) => v > pad(sds)[0] && v < pad(sds)[1]), yformat: (v) => String(Number((10 ** v).toPrecision(2))),
}, (p) => {
  p.axes();
  range(total).forEach((i) => [0, 1].forEach((k) => p.dot(C.mu[i][who(i, k)], Math.log10(C.sigma[i][who(i, k)]), 2.6, { fill: COLOURS[k], "fill-opacity": 0.55 })));
  [0, 1].forEach((k) => p.dot(C.mu[at][who(at, k)], Math.log10(C.sigma[at][who(at, k)]), 7, { fill: COLOURS[k], stroke: "var(--ink)", "stroke-width": 2 }));
  p.alt(`Mean and sd of both groups in ${total} draws. Named this way, ${fmt(100 * C.mislabelled[way], 1)}\u00a0% are misnamed.`);
});

const trace = chart("#trace", { height: 150, x: [0, total], y: [0, Math.max(...C.sigma.flat()) * 1.05], margin: { left: 40 }, xticks: [], pick: (x) => steps.set(Math.round(x)) }, (p) => {
  p.axes();
  range(C.chains).forEach((chain) => {
    if (chain) p.rule(chain * C.shown, { stroke: "var(--rule)" });
    p.text((chain + 0.5) * C.shown, 0, `chain ${chain + 1}`, { "text-anchor": "middle", dy: 16 });
    const is = range(C.shown).map((i) => i + chain * C.shown);
    p.line(is, is.map((i) => C.sigma[i][who(i, 0)]), { stroke: "var(--c1)", "stroke-width": 1.5 });
  });
  p.rule(at, { "stroke-dasharray": "2 3" });
  p.dot(at, C.sigma[at][who(at, 0)], 5, { fill: "var(--c1)", stroke: "var(--raised)", "stroke-width": 2 });
  p.alt(`The sd of group 1 by draw, now ${fmt(C.sigma[at][who(at, 0)], 3)}.`);
});

function story() {
  const [a, b] = [who(at, 0), who(at, 1)], wide = C.sigma[at][a] > C.sigma[at][b];
  const shown = `Group 1 has mean ${fmt(C.mu[at][a], 3)} and sd ${fmt(C.sigma[at][a], 3)}: ${wide ? "the wide one" : "the narrow one"}.`;
  if (way === "drawn") return `${shown} That is how chain ${Math.floor(at / C.shown) + 1} happens to call it.`;
  if (way === "sorted") return wide ? `${shown} It has the lower mean, as usual.` : `${shown} The means have crossed, so the names have too.`;
  return `${shown} Its points know it, whatever its mean.`;
}

const steps = stepper("#steps", {
  label: "Draw", max: total - 1, pace: 200,
  say: (v) => `${fmt((v % C.shown) * C.every + 1)} of ${fmt(C.n_draws / C.chains)} in chain ${Math.floor(v / C.shown) + 1}`,
  change: (v) => { at = v; curves(); cloud(); trace(); $("#say").textContent = story(); },
});
choices("#ways", (name) => { way = name; steps.set(at); });
steps.start();

const lows = T.chains.map((c) => Math.min(...c.trace) - T.gibbs).filter((v) => v > -100);
chart("#chains", { height: 230, x: [0, T.chains.length], y: [Math.min(...lows, -10) - 4, 10], xticks: [], margin: { left: 40, bottom: 24 } }, (p) => {
  p.axes();
  p.level(0, { stroke: "var(--ink)", "stroke-width": 1.5 });
  p.text(0, 0, "Gibbs", { dx: 4, dy: -16, class: "strong" });
  T.chains.forEach((c, i) => {
    if (i) p.rule(i, { stroke: "var(--rule)" });
    p.text(i + 0.5, p.domain.y[0], p.width > 600 ? `chain ${i + 1}` : `${i + 1}`, { "text-anchor": "middle", dy: 18 });
    const colour = c.far ? "var(--bad)" : "var(--accent)", n = c.trace.length;
    if (c.log_lik - T.gibbs < p.domain.y[0]) {
      p.add("path", { d: `M${p.X(i + 0.5)},${p.box.y0 - 4}l-6,-10h12z`, fill: colour });
      p.text(i + 0.5, p.domain.y[0], fmt(c.log_lik - T.gibbs), { "text-anchor": "middle", dy: -20, style: `fill:${colour}` });
    } else {
      p.line(c.trace.map((_, j) => i + 0.08 + (0.84 * j) / (n - 1)), c.trace.map((v) => v - T.gibbs), { stroke: colour, "stroke-width": 1.6 });
    }
  });
  p.alt(`Of ${T.chains.length} chains, ${T.chains.filter((c) => c.far).length} lie below Gibbs in log-likelihood, ${T.silent.length} of them without a warning.`);
});

chart("#wall", { height: 240, x: [T.wall.x[0], T.wall.x.at(-1)], y: [Math.max(...T.wall.log_lik) - 60, Math.max(...T.wall.log_lik) + 8], xlabel: "mean of the wide group", ylabel: "", margin: { left: 46, top: 14 } }, (p) => {
  p.add("rect", { x: p.X(T.wall.narrow), y: p.box.y1, width: p.box.x1 - p.X(T.wall.narrow), height: p.box.y0 - p.box.y1, fill: "var(--bad-soft)" });
  p.axes();
  p.clip();
  p.line(T.wall.x, T.wall.log_lik, { stroke: "var(--accent)", "stroke-width": 2.5 });
  p.unclip();
  p.rule(T.wall.narrow, { stroke: "var(--bad)", "stroke-width": 3 });
  p.text(T.wall.narrow, p.domain.y[1], p.width > 520 ? "mean of the narrow group: the wall" : "the wall", { dx: 8, dy: 16, class: "strong" });
  p.text(T.wall.narrow, p.domain.y[1], p.width > 520 ? "wrong order: pushed left, held by the rule" : "wrong order", { dx: 8, dy: 33 });
  p.dot(T.wall.wide, Math.max(...T.wall.log_lik), 6, { fill: "var(--accent)", stroke: "var(--raised)", "stroke-width": 2 });
  const edge = T.wall.x.findIndex((x) => x >= T.wall.narrow);
  p.dot(T.wall.x[edge], T.wall.log_lik[edge], 6, { fill: "var(--bad)", stroke: "var(--raised)", "stroke-width": 2 });
  p.alt("The log-likelihood rises from the wall to the left, but a chain on the right of the wall may not cross it.");
});
