const circle = grid(0, 2 * Math.PI, 73);
/** Radii within which a bivariate normal has half and 90 % of its mass. */
const radii = [0.5, 0.9].map((mass) => Math.sqrt(-2 * Math.log(1 - mass)));
const square = { x: [-3.4, 3.4], y: [-3.1, 3.1], xlabel: "across", height: (width) => clamp(0.72 * width, 250, 430), margin: { left: 34 } };
let at = 0, way = "across";
const rho = () => DATA.correlations[at];
const lost = () => DATA.heights[DATA.opens] - DATA.heights[at];

function ellipse(mu, sds, correlation, radius) {
  const low = correlation * sds[1], rest = Math.sqrt(1 - correlation ** 2) * sds[1];
  return [circle.map((t) => mu[0] + radius * sds[0] * Math.cos(t)), circle.map((t) => mu[1] + radius * (low * Math.cos(t) + rest * Math.sin(t)))];
}

/** Histogram of one coordinate, and the densities of both groups in it. */
function side(selector, j, label) {
  const low = square[j ? "y" : "x"][0], width = 0.4;
  return chart(selector, { height: 170, x: square[j ? "y" : "x"], y: [0, 0.62], xlabel: label, yticks: null, margin: { left: 8 } }, (p) => {
    p.axes();
    const counts = new Map();
    DATA.y.forEach((y) => { const bin = Math.floor((y[j] - low) / width); counts.set(bin, (counts.get(bin) ?? 0) + 1); });
    for (const [bin, n] of counts) {
      const x = p.X(low + bin * width) + 0.5, top = p.Y(n / (DATA.y.length * width));
      p.add("rect", { x, y: top, width: p.X(low + (bin + 1) * width) - 0.5 - x, height: p.box.y0 - top, fill: "var(--rule)" });
    }
    const xs = grid(...p.domain.x, 121);
    range(DATA.K).forEach((k) => p.line(xs, xs.map((x) => DATA.w[k] * normal(x, DATA.mu[k][j], DATA.sds[k][j])), { stroke: COLOURS[k], "stroke-width": 2.5 }));
    p.alt(`The points seen ${j ? "from the side" : "from below"}: the same for every correlation.`);
  });
}

const charts_of = [
  chart("#plane", { ...square, ylabel: "up" }, (p) => {
    p.axes();
    p.clip();
    DATA.y.forEach(([x, y]) => p.dot(x, y, 3, { fill: "var(--ink)", "fill-opacity": 0.55 }));
    const box = [0, 1].map((j) => [-1, 1].map((sign) => DATA.mu[0][j] + sign * radii[1] * DATA.sds[0][j]));
    p.line([0, 1, 1, 0, 0].map((i) => box[0][i]), [0, 0, 1, 1, 0].map((i) => box[1][i]), { stroke: COLOURS[0], "stroke-width": 1, "stroke-dasharray": "4 4" });
    range(DATA.K).forEach((k) => radii.forEach((radius, i) =>
      p.line(...ellipse(DATA.mu[k], DATA.sds[k], k ? DATA.best[k] : rho(), radius), { stroke: COLOURS[k], "stroke-width": 2.5, fill: COLOURS[k], "fill-opacity": i ? 0.06 : 0.1 })));
    p.unclip();
    p.alt(`${DATA.y.length} points and two ellipses; the blue one has a correlation of ${fmt(rho(), 2)} and always touches its box.`);
  }),
  chart("#height", { height: 180, x: [-1, 1], y: () => [Math.max(Math.min(...DATA.heights), Math.max(...DATA.heights) - 130), Math.max(...DATA.heights) + 8], xlabel: "correlation of the blue group", margin: { left: 56, right: 14 }, pick: (x) => steps.set(nearest(x)) }, (p) => {
    p.axes();
    p.clip();
    p.line(DATA.correlations, DATA.heights, { stroke: "var(--accent)", "stroke-width": 2.5 });
    p.unclip();
    p.rule(DATA.best[0], { "stroke-dasharray": "2 3" });
    p.dot(rho(), Math.max(DATA.heights[at], p.domain.y[0]), 6, { fill: "var(--accent)", stroke: "var(--raised)", "stroke-width": 2 });
    p.alt(`The log-likelihood is highest at a correlation of ${fmt(DATA.best[0], 2)}; at ${fmt(rho(), 2)} it is ${fmt(lost(), 0)} lower.`);
  }),
];
side("#across", 0, "across");
side("#up", 1, "up");

function nearest(x) {
  const off = DATA.correlations.map((v) => Math.abs(v - x));
  return off.indexOf(Math.min(...off));
}

function story() {
  if (at === DATA.opens) return `A correlation of ${fmt(rho(), 2)} fits best. Drag: the ellipse turns inside its box, and neither side view sees it.`;
  const tilt = at === DATA.zero ? "The ellipse lies straight" : `The ellipse leans to the ${rho() > 0 ? "right" : "left"}`;
  return `${tilt}. The log-likelihood is ${lost() < 9.5 ? fmt(lost(), 1) : fmt(lost())} lower; both side views are what they were.`;
}

const steps = stepper("#steps", {
  label: "Correlation of the blue group", max: DATA.correlations.length - 1, value: DATA.opens, pace: 200,
  say: (v) => fmt(DATA.correlations[v], 2),
  change: (v) => { at = v; charts_of.forEach((redraw) => redraw()); $("#say").textContent = story(); },
});

const cloud = chart("#cloud", { ...square, x: [-1.2, 1.2], y: [-1.7, 1.5], ylabel: "up" }, (p) => {
  p.axes();
  const shown = DATA.ways[way];
  shown.mu.forEach((draw) => range(DATA.K).forEach((k) => p.dot(draw[k][0], draw[k][1], 3, { fill: COLOURS[k], "fill-opacity": 0.5 })));
  range(DATA.K).forEach((k) => {
    p.dot(shown.mean[k][0], shown.mean[k][1], 8, { fill: COLOURS[k], stroke: "var(--ink)", "stroke-width": 2 });
    p.text(shown.mean[k][0], shown.mean[k][1], `mean of group ${k + 1}`, { dx: 13, dy: 4, class: "strong" });
  });
  p.alt(`Means of ${shown.mu.length} draws; the average of group 1 is at ${shown.mean[0].map((v) => fmt(v, 2)).join(", ")}.`);
});

function named() {
  const m = DATA.ways[way].mean[0].map((v) => fmt(v, 2)).join(", ");
  return {
    across: `Both clouds have both colours: the right one of a draw is now the upper, now the lower. The average of group 1, (${m}), is in neither.`,
    up: `Each cloud has one colour. The average of group 1 is (${m}).`,
    aligned: `Each cloud has one colour, and no coordinate was chosen. The average of group 1 is (${m}).`,
  }[way];
}

choices("#ways", (chosen) => { way = chosen; cloud(); $("#named").textContent = named(); });
$("#named").textContent = named();
steps.start();
