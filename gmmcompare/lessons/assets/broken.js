let fault = DATA.faults[0], stop = 0;
const LIMIT = DATA.threshold;
const clean = (name) => name.replace("mu", "μ").replace("log sigma", "log σ").replace("sigma", "σ").replace(/\[(\d)\]/, " $1");

const large = chart("#large", { height: 270, x: [-1, 1], y: [0, 9], xlabel: "shift (posterior sds)", yticks: null, margin: { left: 56, top: 6 } }, (p) => {
  const f = fault.large;
  p.axes();
  p.rule(0, { stroke: "var(--ink)", "stroke-width": 1.2 });
  f.names.forEach((name, i) => {
    const y = 8.5 - i, shift = f.shift[i], error = f.error[i];
    p.add("text", { x: 0, y: p.Y(y) + 4 }, clean(name));
    p.level(y, { class: "grid", stroke: undefined });
    if (shift === null || error === null) return p.add("text", { x: p.X(0.05), y: p.Y(y) + 4, style: "fill:var(--bad)" }, "not a number");
    const seen = Math.abs(shift / error) > DATA.limit, colour = seen ? "var(--bad)" : "var(--accent)";
    if (Math.abs(shift) > 1) {
      const x = p.X(Math.sign(shift) * 0.97), d = Math.sign(shift) * 10;
      p.add("path", { d: `M${x},${p.Y(y)}l${-d},-6v12z`, fill: colour });
      p.add("text", { x: x - 1.6 * d, y: p.Y(y) + 4, "text-anchor": d > 0 ? "end" : "start", style: `fill:${colour}` }, `${fmt(shift, 1)} ± ${fmt(2 * error, 1)}`);
      return;
    }
    p.clip();
    p.line([shift - 2 * error, shift + 2 * error], [y, y], { stroke: colour, "stroke-width": 2.5 });
    p.dot(shift, y, 5, { fill: colour, stroke: "var(--raised)", "stroke-width": 1.5 });
    p.unclip();
  });
  p.alt(largeVerdict());
});

const small = chart("#small", {
  height: 270, x: [0, DATA.round * DATA.rounds], y: () => [Math.min(-1, ...fault.small.log10_wealth), Math.max(8, ...fault.small.log10_wealth) * 1.08],
  xlabel: "trials", yformat: (v) => (v === 0 ? "1" : `10${superscript(v)}`), margin: { left: 48, top: 8 }, pick: (x) => steps.set(Math.round(x / DATA.round)),
}, (p) => {
  const wealth = fault.small.log10_wealth, xs = wealth.map((_, i) => i * DATA.round);
  const red = wealth.slice(0, stop + 1).some((v) => v >= LIMIT);
  if (red) p.add("rect", { x: p.box.x0, y: p.box.y1, width: p.box.x1 - p.box.x0, height: p.Y(LIMIT) - p.box.y1, fill: "var(--bad-soft)" });
  p.axes();
  p.level(LIMIT, { stroke: "var(--bad)", "stroke-dasharray": "6 4", "stroke-width": 1.5 });
  p.text(0, LIMIT, "convicted above this line", { dx: 6, dy: -6, class: "strong" });
  p.line(xs, wealth, { stroke: "var(--rule)" });
  p.line(xs.slice(0, stop + 1), wealth.slice(0, stop + 1), { stroke: red ? "var(--bad)" : "var(--accent)", "stroke-width": 2.6 });
  p.dot(xs[stop], wealth[stop], 6, { fill: red ? "var(--bad)" : "var(--accent)", stroke: "var(--raised)", "stroke-width": 2 });
  p.alt(smallVerdict());
});

const ranks = chart("#ranks", { height: 150, x: [0, 1], y: () => [0, Math.max(1.6, ...share()) * 1.05], yticks: [0, 1], yformat: (v) => (v ? "level" : "0"), margin: { left: 40 }, xlabel: "low … high in its distribution", xticks: [] }, (p) => {
  const values = share(), trials = fault.small.ranks[stop].reduce((a, b) => a + b);
  p.axes();
  if (trials) {
    // Counts of a right sampler are binomial; the band holds all of them at once (Bonferroni).
    const half = DATA.rank_limit * Math.sqrt((values.length - 1) / trials), top = Math.min(1 + half, p.domain.y[1]), bottom = Math.max(1 - half, 0);
    p.add("rect", { x: p.box.x0, y: p.Y(top), width: p.box.x1 - p.box.x0, height: p.Y(bottom) - p.Y(top), fill: "var(--soft)", stroke: "var(--rule)" });
  }
  values.forEach((v, i) => p.add("rect", { x: p.X(i / values.length) + 1, y: p.Y(v), width: p.X(1 / values.length) - p.X(0) - 2, height: Math.max(0, p.box.y0 - p.Y(v)), fill: convicted() ? "var(--bad)" : "var(--accent)", "fill-opacity": 0.7 }));
  p.level(1, { stroke: "var(--ink)", "stroke-dasharray": "4 3" });
  p.alt(`Ranks of ${clean(fault.small.worst)} after ${stop * DATA.round} trials; level is right.`);
});
function share() {
  const counts = fault.small.ranks[stop], total = counts.reduce((a, b) => a + b);
  return counts.map((v) => (total ? (v * counts.length) / total : 0));
}
function convicted() {
  return fault.small.log10_wealth.slice(0, stop + 1).some((v) => v >= LIMIT);
}
function largeVerdict() {
  return fault.large.seen
    ? "Visible: some posterior mean is off by more than chance allows."
    : `Looks perfect: no shift is larger than chance allows (largest ${fmt(fault.large.largest, 2)} posterior sds).`;
}
function smallVerdict() {
  if (stop === 0) return "No trials yet: drag the slider.";
  const stands = fault.small.log10_wealth[stop];
  const power = Math.abs(stands) < 1 ? fmt(10 ** stands, 1) : `10${superscript(Math.round(stands))}`;
  if (convicted()) return `Convicted: 1 has become ${power}. It was found out by trial ${fmt(fault.small.caught_at)}; looked at every ${fmt(DATA.round)}.`;
  return `Not convicted after ${fmt(stop * DATA.round)} trials: 1 has become ${power}.`;
}

const steps = stepper("#steps", {
  label: "Trials", max: DATA.rounds, pace: 350,
  say: (v) => fmt(v * DATA.round),
  change: (v) => {
    stop = v;
    small(); ranks();
    const node = $("#verdict-small");
    node.textContent = smallVerdict();
    node.className = convicted() ? "bad" : stop ? "good" : "";
  },
});
function choose(index) {
  fault = DATA.faults[index];
  $("#mistake").textContent = fault.name === "correct" ? "No mistake: the sampler as it should be." : `The mistake: ${fault.mistake}. What it does: ${fault.effect}.`;
  $("#ranks-title").textContent = `${DATA.small_n} observations: ranks of ${clean(fault.small.worst)}`;
  large();
  const node = $("#verdict-large");
  node.textContent = largeVerdict();
  node.className = fault.large.seen ? "bad" : "good";
  steps.set(0);
}
$("#fault").addEventListener("change", (event) => choose(Number(event.target.value)));
choose(0);
