"use strict";
// What all lessons share: charts that redraw at their own width, a stepper, choices. No framework.

const DATA = JSON.parse(document.getElementById("data").textContent);
const $ = (selector) => document.querySelector(selector);
const COLOURS = ["var(--c1)", "var(--c2)", "var(--c3)", "var(--c4)"];
const clamp = (v, low, high) => Math.min(high, Math.max(low, v));
const range = (n) => Array.from({ length: n }, (_, i) => i);
const grid = (low, high, n) => range(n).map((i) => low + ((high - low) * i) / (n - 1));

/** A number as text: thousands separated, a true minus sign. */
function fmt(v, digits = 0) {
  if (v === null || !Number.isFinite(v)) return "–";
  const text = v.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return text.replace("-", "−");
}

/** A number of a few significant digits, in powers of ten where it is tiny or huge. */
function short(v) {
  if (v === null || !Number.isFinite(v)) return "–";
  const size = Math.abs(v);
  if (v !== 0 && (size < 1e-3 || size >= 1e6)) {
    const power = Math.floor(Math.log10(size));
    return `${fmt(v / 10 ** power, 1)}×10${superscript(power)}`;
  }
  return fmt(v, size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3);
}

function superscript(n) {
  return String(n).replace(/[-0-9]/g, (c) => (c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(c)]));
}

const normal = (y, mu, sigma) =>
  Math.exp(-0.5 * ((y - mu) / sigma) ** 2) / (sigma * Math.sqrt(2 * Math.PI));

/** w_k Normal(y; mu_k, sigma_k) for every component. */
const parts = (y, w, mu, sigma) => w.map((wk, k) => wk * normal(y, mu[k], sigma[k]));

/** Responsibilities at y, by logarithms so that they never vanish together. */
function responsibilities(y, w, mu, sigma) {
  const logs = w.map((wk, k) => Math.log(wk) - Math.log(sigma[k]) - 0.5 * ((y - mu[k]) / sigma[k]) ** 2);
  const top = Math.max(...logs);
  const terms = logs.map((v) => Math.exp(v - top));
  const total = terms.reduce((a, b) => a + b);
  return terms.map((v) => v / total);
}

const blend = (r) => {
  // Nested color-mix: component colours in proportion to their responsibilities.
  let colour = COLOURS[0], so_far = r[0];
  for (let k = 1; k < r.length; k++) {
    const total = so_far + r[k];
    const share = total > 0 ? (100 * so_far) / total : 50;
    colour = `color-mix(in oklab, ${colour} ${share.toFixed(1)}%, ${COLOURS[k]})`;
    so_far = total;
  }
  return colour;
};

/** Round steps for ticks: 1, 2 or 5 times a power of ten. */
function ticks(low, high, wanted) {
  const raw = (high - low) / wanted;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * ([1, 2, 5, 10].find((m) => m * power >= raw * 0.999) ?? 10);
  const first = Math.ceil(low / step - 1e-9);
  return range(Math.floor(high / step + 1e-9) - first + 1).map((i) => (first + i) * step);
}

class Plot {
  constructor(svg, width, height, options) {
    Object.assign(this, { svg, width, height, options });
    const m = { top: 10, right: 10, bottom: 36, left: 46, ...options.margin };
    if (options.xlabel === undefined) m.bottom = options.margin?.bottom ?? 22;
    this.box = { x0: m.left, x1: width - m.right, y0: height - m.bottom, y1: m.top };
    const domain = (v) => (typeof v === "function" ? v() : v);
    this.domain = { x: domain(options.x), y: domain(options.y) };
    const scale = ([a, b], p, q) => (v) => p + ((v - a) / (b - a)) * (q - p);
    this.X = scale(this.domain.x, this.box.x0, this.box.x1);
    this.Y = scale(this.domain.y, this.box.y0, this.box.y1);
    this.group = svg;
  }
  add(tag, attributes, text) {
    const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) if (value !== undefined) node.setAttribute(name, value);
    if (text !== undefined) node.textContent = text;
    this.group.append(node);
    return node;
  }
  clip() {
    const id = `clip-${this.svg.parentNode.id}`;
    const { x0, x1, y0, y1 } = this.box;
    const clip = this.add("clipPath", { id });
    const outer = this.group;
    this.group = clip;
    this.add("rect", { x: x0, y: y1, width: x1 - x0, height: y0 - y1 });
    this.group = outer;
    this.group = this.add("g", { "clip-path": `url(#${id})` });
  }
  unclip() { this.group = this.svg; }
  axes() {
    const { x0, x1, y0, y1 } = this.box, o = this.options;
    this.add("line", { x1: x0, x2: x1, y1: y0, y2: y0, class: "axis" });
    const say = o.xformat ?? ((v) => fmt(v, Math.abs(v % 1) > 1e-9 ? (Math.abs((v * 10) % 1) > 1e-9 ? 2 : 1) : 0));
    for (const t of o.xticks ?? ticks(...this.domain.x, clamp((x1 - x0) / 75, 2, 10))) {
      this.add("line", { x1: this.X(t), x2: this.X(t), y1: y0, y2: y0 + 4, class: "axis" });
      this.add("text", { x: this.X(t), y: y0 + 16, "text-anchor": "middle" }, say(t));
    }
    if (o.xlabel) this.add("text", { x: (x0 + x1) / 2, y: y0 + 32, "text-anchor": "middle" }, o.xlabel);
    if (o.yticks !== null) {
      const yes = o.yformat ?? ((v) => fmt(v, Math.abs(v % 1) > 1e-9 ? (Math.abs((v * 10) % 1) > 1e-9 ? 2 : 1) : 0));
      for (const t of o.yticks ?? ticks(...this.domain.y, clamp((y0 - y1) / 45, 2, 6))) {
        this.add("line", { x1: x0, x2: x1, y1: this.Y(t), y2: this.Y(t), class: "grid" });
        this.add("text", { x: x0 - 6, y: this.Y(t) + 4, "text-anchor": "end" }, yes(t));
      }
    }
    if (o.ylabel) this.add("text", { x: o.yticks === null ? x0 : 0, y: Math.max(10, y1 - 10), "text-anchor": "start" }, o.ylabel);
  }
  path(xs, ys) {
    return xs.map((x, i) => `${i ? "L" : "M"}${this.X(x).toFixed(1)},${clamp(this.Y(ys[i]), -1e4, 1e4).toFixed(1)}`).join("");
  }
  line(xs, ys, attributes = {}) {
    return this.add("path", { d: this.path(xs, ys), class: "line", stroke: "var(--ink)", "stroke-width": 2, ...attributes });
  }
  area(xs, low, high, attributes = {}) {
    const back = [...xs].reverse(), under = [...low].reverse();
    return this.add("path", { d: `${this.path(xs, high)}${this.path(back, under).replace("M", "L")}Z`, ...attributes });
  }
  dot(x, y, r, attributes = {}) {
    return this.add("circle", { cx: this.X(x).toFixed(1), cy: this.Y(y).toFixed(1), r, ...attributes });
  }
  rule(x, attributes = {}) {
    return this.add("line", { x1: this.X(x), x2: this.X(x), y1: this.box.y0, y2: this.box.y1, stroke: "var(--muted)", ...attributes });
  }
  level(y, attributes = {}) {
    return this.add("line", { x1: this.box.x0, x2: this.box.x1, y1: this.Y(y), y2: this.Y(y), stroke: "var(--muted)", ...attributes });
  }
  text(x, y, text, attributes = {}) {
    return this.add("text", { x: clamp(this.X(x), this.box.x0, this.box.x1), y: this.Y(y), ...attributes }, text);
  }
  alt(text) { this.svg.setAttribute("aria-label", text); }
}

const charts = [];

/** Draw into a host now, whenever asked, and when its width changes. Returns the redraw function. */
function chart(selector, options, draw) {
  const host = $(selector);
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("role", "img");
  host.append(svg);
  let width = 0;
  const redraw = () => {
    width = host.clientWidth || 640;
    const height = typeof options.height === "function" ? options.height(width) : options.height;
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.setAttribute("height", height);
    svg.replaceChildren();
    draw(new Plot(svg, width, height, options));
  };
  new ResizeObserver(() => { if (host.clientWidth !== width) redraw(); }).observe(host);
  if (options.pick) {
    svg.classList.add("pick");
    const at = (event) => {
      const p = new Plot(svg, width, 1, options), box = svg.getBoundingClientRect();
      const [a, b] = p.domain.x;
      options.pick(a + ((event.clientX - box.left - p.box.x0) / (p.box.x1 - p.box.x0)) * (b - a));
    };
    svg.addEventListener("pointerdown", (event) => { svg.setPointerCapture(event.pointerId); at(event); });
    svg.addEventListener("pointermove", (event) => { if (event.buttons) at(event); });
  }
  charts.push(redraw);
  redraw();
  return redraw;
}

const redrawAll = () => charts.forEach((redraw) => redraw());

/** A labelled slider with play and step buttons. `say(value)` is what a reader hears and sees. */
function stepper(selector, { label, max, value = 0, pace = 250, stride = 1, say, change }) {
  const host = $(selector);
  host.classList.add("stepper");
  host.innerHTML = `<label for="slider">${label}<output for="slider"></output></label>
    <button type="button" class="play" aria-label="Play"><svg viewBox="0 0 16 16" aria-hidden="true"><path d="M4 2l10 6-10 6z"/></svg></button>
    <button type="button" class="back" aria-label="One step back"><svg viewBox="0 0 16 16" aria-hidden="true"><path d="M11 2v12L3 8z"/></svg></button>
    <input id="slider" type="range" min="0" step="1">
    <button type="button" class="on" aria-label="One step on"><svg viewBox="0 0 16 16" aria-hidden="true"><path d="M5 2v12l8-6z"/></svg></button>`;
  const input = host.querySelector("input"), output = host.querySelector("output"), play = host.querySelector(".play");
  const shape = play.querySelector("path");
  let timer = null;
  const show = () => {
    output.textContent = say(Number(input.value));
    input.setAttribute("aria-valuetext", output.textContent);
    change(Number(input.value));
  };
  const pause = () => {
    clearInterval(timer);
    timer = null;
    play.setAttribute("aria-label", "Play");
    shape.setAttribute("d", "M4 2l10 6-10 6z");
  };
  const set = (v) => { input.value = clamp(v, 0, Number(input.max)); show(); };
  play.addEventListener("click", () => {
    if (timer !== null) return pause();
    if (Number(input.value) >= Number(input.max)) set(0);
    play.setAttribute("aria-label", "Pause");
    shape.setAttribute("d", "M3 2h4v12H3zM9 2h4v12H9z");
    timer = setInterval(() => {
      set(Number(input.value) + stride);
      if (Number(input.value) >= Number(input.max)) pause();
    }, pace);
  });
  host.querySelector(".back").addEventListener("click", () => { pause(); set(Number(input.value) - 1); });
  host.querySelector(".on").addEventListener("click", () => { pause(); set(Number(input.value) + 1); });
  input.addEventListener("input", () => { pause(); show(); });
  input.max = max;
  input.value = value;
  return {
    get value() { return Number(input.value); },
    start: show,
    set: (v) => { pause(); set(v); },
    limit: (most, v = 0) => { pause(); input.max = most; set(v); },
  };
}

/** Radio buttons in a fieldset; `change` gets the chosen value. */
function choices(selector, change) {
  for (const input of $(selector).querySelectorAll("input")) input.addEventListener("change", () => change(input.value));
}

/** Fill a table's body: rows of cells, the first a row heading; a cell may be {html}. */
function fill(selector, rows) {
  $(selector).replaceChildren(...rows.map((cells) => {
    const row = document.createElement("tr");
    cells.forEach((cell, i) => {
      const node = document.createElement(i ? "td" : "th");
      if (!i) node.scope = "row";
      if (typeof cell === "object") node.innerHTML = cell.html;
      else node.textContent = cell;
      row.append(node);
    });
    return row;
  }));
}

const swatch = (k) => `<i aria-hidden="true" style="display:inline-block;width:.8em;height:.8em;border-radius:50%;background:${COLOURS[k]}"></i>`;

/** Dots stacked in columns like a histogram: [{x, row}] in the order of sorted values. */
function stacked(values, width) {
  const heights = new Map();
  return values.map((v) => {
    const column = Math.floor(v / width);
    const row = heights.get(column) ?? 0;
    heights.set(column, row + 1);
    return { x: (column + 0.5) * width, row };
  });
}
