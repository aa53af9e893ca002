let route = "nuts", stop = 0;
const low = DATA.grid[0], high = DATA.grid.at(-1);

// NUTS: one stop for every leapfrog point and one for the choice. Gibbs: one for every sweep.
const nutsStops = DATA.nuts.flatMap((t, i) => [...range(t.points.length).map((j) => [i, j]), [i, t.points.length]]);
const count = () => (route === "nuts" ? nutsStops.length - 1 : DATA.gibbs.length);

const map = chart("#map", {
  height: (w) => Math.min(w, 460), x: () => domainX(), y: [low, high],
  xlabel: "first mean, μ₁", ylabel: "", margin: { left: 34, top: 8 },
}, (p) => {
  p.axes();
  p.clip();
  DATA.contours.forEach((lines, i) => lines.forEach((line) => {
    p.line(line.map((v) => v[0]), line.map((v) => v[1]), { stroke: "var(--muted)", "stroke-width": 1, "stroke-opacity": 0.35 + 0.1 * i, fill: "var(--muted)", style: "fill-opacity:.05;fill:var(--muted)" });
  }));
  p.line([low, high], [low, high], { stroke: "var(--rule)", "stroke-dasharray": "2 4", "stroke-width": 1.5 });
  if (route === "nuts") drawNuts(p); else drawGibbs(p);
  p.unclip();
  p.text(high, high, "μ₁ = μ₂", { "text-anchor": "end", dx: -14, dy: 20 });
  p.add("text", { x: p.box.x0 + 4, y: p.box.y1 + 10 }, "second mean, μ₂");
  p.alt(`Contours of the posterior of two means. ${story()}`);
});
function domainX() {
  // Equal scales: one unit is as long across as up.
  const host = document.getElementById("map"), w = host.clientWidth || 460, h = Math.min(w, 460);
  const span = ((high - low) * (w - 44)) / (h - 44), middle = (low + high) / 2;
  return [middle - span / 2, middle + span / 2];
}

function drawNuts(p) {
  const [at, j] = nutsStops[stop];
  const draws = [DATA.nuts[0].points[0], ...DATA.nuts.map((t) => t.points[t.chosen])];
  DATA.nuts.slice(0, at).forEach((t) => path(p, t, t.points.length, 0.22));
  p.line(draws.slice(0, at + 1).map((q) => q[0]), draws.slice(0, at + 1).map((q) => q[1]), { stroke: "none" });
  const t = DATA.nuts[at];
  path(p, t, Math.min(j + 1, t.points.length), 1);
  draws.slice(0, at + 1).forEach((q) => p.dot(q[0], q[1], 5, { fill: "var(--ink)", stroke: "var(--raised)", "stroke-width": 1.5 }));
  if (j < t.points.length) {
    p.dot(...t.points[j], 7, { fill: "var(--c1)", stroke: "var(--raised)", "stroke-width": 2 });
  } else {
    p.dot(...t.points[t.chosen], 9, { fill: "none", stroke: "var(--c2)", "stroke-width": 3 });
    p.dot(...t.points[t.chosen], 5, { fill: "var(--ink)" });
  }
}

/** A trajectory's first n points, joined in the order of time. */
function path(p, t, n, opacity) {
  const ahead = [t.points[0]], behind = [t.points[0]];
  range(n).slice(1).forEach((i) => (t.forward[i] ? ahead : behind).push(t.points[i]));
  for (const side of [ahead, behind]) p.line(side.map((q) => q[0]), side.map((q) => q[1]), { stroke: "var(--c1)", "stroke-width": 2, "stroke-opacity": opacity });
  if (opacity === 1) range(n).forEach((i) => p.dot(...t.points[i], 3, { fill: "var(--c1)", "fill-opacity": i < t.kept ? 1 : 0.4 }));
}

function drawGibbs(p) {
  const points = [DATA.nuts[0].points[0], ...DATA.gibbs.map((g) => g.point)].slice(0, stop + 1);
  p.line(points.map((q) => q[0]), points.map((q) => q[1]), { stroke: "var(--c2)", "stroke-width": 1.4, "stroke-opacity": 0.45 });
  points.forEach((q) => p.dot(...q, 4, { fill: "var(--ink)", "fill-opacity": 0.6 }));
  if (stop) {
    const g = DATA.gibbs[stop - 1];
    for (const m of [1, 2]) p.add("ellipse", {
      cx: p.X(g.centre[0]), cy: p.Y(g.centre[1]), rx: m * (p.X(g.sd[0]) - p.X(0)), ry: m * (p.Y(0) - p.Y(g.sd[1])),
      fill: "var(--c2)", "fill-opacity": 0.08, stroke: "var(--c2)", "stroke-dasharray": "5 4", "stroke-width": 1.5,
    });
  }
  p.dot(...points.at(-1), 7, { fill: "var(--c2)", stroke: "var(--raised)", "stroke-width": 2 });
}

function story() {
  if (route === "gibbs") return stop
    ? `Sweep ${stop}: every value tossed for its group. Given that, the density is the dashed hill (one and two sds), and the next point is drawn from it.`
    : "Gibbs starts at the same place.";
  const [at, j] = nutsStops[stop], t = DATA.nuts[at];
  if (j === 0) return `Draw ${at + 1}: a random push from the black dot.`;
  if (j < t.points.length) return `Leapfrog step ${j}, ${t.forward[j] ? "forwards" : "backwards"} in time. The energy is off by ${short(Math.abs(t.error[j]))}${Math.abs(t.error[j]) < 0.5 ? ": almost kept" : ""}.`;
  const left = t.points.length - t.kept;
  return `The path turns back, so it ends.${left ? ` A part of the last doubling had turned back already, so its ${left} points, pale, cannot be chosen.` : ""} One of ${t.kept} points becomes draw ${at + 1}, ringed.`;
}

const steps = stepper("#steps", {
  label: "Along the route", max: count(), pace: 220,
  say: (v) => (route === "nuts" ? `draw ${nutsStops[v][0] + 1}, ${nutsStops[v][1] < DATA.nuts[nutsStops[v][0]].points.length ? `step ${nutsStops[v][1]}` : "chosen"}` : `sweep ${v}`),
  change: (v) => { stop = v; map(); $("#say").textContent = story(); },
});
choices("#routes", (name) => { route = name; stop = 0; steps.limit(count()); });
steps.start();

chart("#marginal", { height: 190, x: [low, high], y: () => [0, 1.15 * Math.max(...DATA.marginal.exact, ...DATA.marginal.nuts, ...DATA.marginal.gibbs)], xlabel: "first mean, μ₁", yticks: null, margin: { left: 8, top: 6 } }, (p) => {
  const { edges, exact, nuts, gibbs, mean } = DATA.marginal;
  p.axes();
  for (const [values, colour] of [[nuts, "var(--c1)"], [gibbs, "var(--c2)"]]) {
    const xs = values.flatMap((_, i) => [edges[i], edges[i + 1]]), ys = values.flatMap((v) => [v, v]);
    p.line(xs, ys, { stroke: colour, "stroke-width": 1.8 });
  }
  p.line(DATA.grid, exact, { "stroke-width": 2 });
  p.alt(`Density of the first mean. Its mean is ${fmt(mean.exact, 2)} exactly, ${fmt(mean.nuts, 2)} by NUTS and ${fmt(mean.gibbs, 2)} by Gibbs.`);
});
