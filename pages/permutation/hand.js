// The component: it holds the order of the units, computes what comes of it, and draws it while the reader's hand moves.
const REST = 700; // ms after the last move, when the server is told, which links need
const STEP = 70; // ms between two units that the matching puts back
const ALL = "all";

class Hand {
  constructor(parent) {
    this.host = parent.querySelector(".sm-hand");
    this.tools = Object.fromEntries([...this.host.querySelectorAll("[name]")].map((tool) => [tool.name, tool]));
    this.planes = ["first", "second", "mean"].map((name) => new Plane(name));
    this.part(".sm-planes").append(...this.planes.map((plane) => plane.node));
    const acts = { all: () => this.shuffle(), three: () => this.three(), undo: () => this.undo(), reset: () => this.reset(), align: () => this.ask() };
    for (const [name, act] of Object.entries(acts)) this.tools[name].addEventListener("click", act);
    for (const plane of this.planes) plane.corner = planeCorner(plane, this);
    this.stop = new AbortController();
    // What is pressed next may be about this order: the server has to know of it before.
    document.addEventListener("pointerdown", (event) => {
      if (!event.composedPath().includes(this.host)) this.tellNow();
    }, { signal: this.stop.signal, capture: true });
    this.seen = new ResizeObserver(() => this.draw());
    this.seen.observe(this.part(".sm-planes"));
  }

  part(name) { return this.host.querySelector(name); }

  update(data, send) {
    this.send = send;
    const sign = JSON.stringify(data.sign), dark = isDark(this.host);
    const changed = sign !== this.sign, recoloured = dark !== this.dark;
    Object.assign(this, { data, sign, dark, palette: data.palettes[dark ? "dark" : "light"] });
    for (const name of ["quiet", "axis", "soft", "text"]) this.host.style.setProperty(`--sm-${name}`, this.palette[name]);
    if (changed) this.begin(data);
    else if (recoloured) this.draw();
    if (data.answer && data.answer.count === this.asked?.count) this.answered(data.answer);
  }

  // Other networks, or another family: everything that is computed once.
  begin(data) {
    const sizes = data.first.layers.slice(0, -1).map((layer) => layer.rows);
    const kept = this.orders && String(this.orders.map((order) => order.length)) === String(sizes);
    this.settle();
    this.first = readNetwork(data.first.layers);
    this.apart = data.second !== null;
    this.source = this.apart ? readNetwork(data.second.layers) : this.first;
    this.titles = { first: data.first.title, second: data.second?.title ?? "Shuffled" };
    this.classes = this.first.at(-1).rows;
    this.samples = { ...data.samples, inputs: unpacked(data.samples.inputs) };
    this.points = Float64Array.from([...gridPoints(data.samples.extent), ...this.samples.inputs]);
    this.orders = kept ? this.orders : data.orders.map((order) => [...order]);
    this.past = [];
    this.asked = null;
    this.columns = sizes.map((_, k) => this.column(k, sizes.length));
    this.part(".sm-layers").replaceChildren(...this.columns.map((column) => column.node));
    this.offerLayers(sizes.length);
    this.report(ALIGN);
    this.part(".sm-key").textContent = this.keyText();
    this.views = { first: this.look(this.first), own: this.look(this.source) };
    this.columns.forEach((column, k) => { column.show(this.orders[k]); column.glide(1); });
    this.compute();
  }

  column(k, count) {
    return new Columns(count > 1 ? `Hidden layer ${k + 1}` : "Hidden layer", norms(this.source[k]), {
      begin: () => this.keep(),
      move: (from, to) => this.change(k, moved(this.orders[k], from, to)),
      step: (from, to) => { this.keep(); this.change(k, moved(this.orders[k], from, to)); },
      swap: (a, b) => { this.keep(); this.change(k, swapped(this.orders[k], a, b)); },
      redraw: () => this.soon(),
      end: () => { this.forget(); this.soon(); },
    });
  }

  offerLayers(count) {
    const all = count === 2 ? "both layers" : "all layers";
    const options = [[ALL, all], ...Array.from({ length: count }, (_, k) => [String(k), `layer ${k + 1}`])];
    this.tools.layers.replaceChildren(...options.map(([value, text]) => Object.assign(made("option", "", text), { value })));
    this.tools.layers.parentElement.hidden = count < 2;
  }

  keyText() {
    const names = Array.from({ length: this.classes }, (_, label) => `${SHAPES[Math.min(label, 3)]} class ${label}`);
    const [x0, x1, y0, y1] = this.samples.extent.map((end) => end.toFixed(1).replace("-", "\u2212"));
    return `The ${this.samples.labels.length} test samples: ${names.join(", ")}; with a ring where the network is wrong. `
      + `Across: feature 1, ${x0} to ${x1}; up: feature 2, ${y0} to ${y1} (standard deviations).`;
  }

  look(network) {
    const logits = logitsOf(network, this.points), grid = SIDE * SIDE * this.classes;
    return { logits, chances: decided(logits.subarray(0, grid), this.classes).chances, score: scoreOf(logits.subarray(grid), this.samples.labels, this.classes) };
  }

  // What the reader does.

  keep() {
    this.settle();
    this.past.push(this.orders.map((order) => [...order]));
    this.report(ALIGN);
  }

  // A unit that was dragged and put back is no move.
  forget() {
    if (String(this.past.at(-1)) === String(this.orders)) this.past.pop();
    this.dress();
  }

  change(k, order) { this.orders[k] = order; this.changed(); }

  changed() {
    this.columns.forEach((column, k) => column.show(this.orders[k]));
    this.stale = true;
    this.soon();
    this.tell();
  }

  chosen() {
    const { value } = this.tools.layers;
    return this.orders.map((_, k) => k).filter((k) => value === ALL || value === String(k));
  }

  // The random numbers of the seed in the field, which counts on, so that the next press draws another shuffle.
  random() {
    const seed = Math.min(Math.max(Math.round(Number(this.tools.seed.value)) || 0, 0), 999999);
    this.tools.seed.value = (seed + 1) % 1000000;
    return randomOf(seed);
  }

  shuffle() {
    this.keep();
    const random = this.random();
    for (const k of this.chosen()) this.orders[k] = shuffled(this.orders[k].map((_, unit) => unit), random);
    this.changed();
  }

  three() {
    this.keep();
    const random = this.random(), layers = this.chosen(), k = layers[Math.floor(random() * layers.length)];
    const [a, b, c] = shuffled(this.orders[k].map((_, place) => place), random);
    this.orders[k] = swapped(swapped(this.orders[k], a, b), b, c);
    this.changed();
  }

  undo() {
    this.settle();
    const before = this.past.pop();
    if (!before) return;
    this.orders = before;
    this.report(ALIGN);
    this.changed();
  }

  reset() {
    this.keep();
    this.orders = this.orders.map((order) => order.map((_, unit) => unit));
    this.changed();
  }

  // Alignment: the engine finds the order, and it is played here.

  ask() {
    this.settle();
    this.compute();
    const orders = this.orders.map((order) => [...order]);
    this.asked = { count: Math.max(Date.now(), (this.asked?.count ?? 0) + 1), orders, away: this.away(), accuracy: this.mean.score.accuracy };
    this.report("A worker looks for the matching; where all are busy, a process of its own, which takes a few seconds.");
    clearTimeout(this.telling);
    this.telling = null;
    this.send("asked", { count: this.asked.count, orders });
    this.dress();
  }

  answered(answer) {
    const was = this.asked;
    this.asked = null;
    this.dress();
    if (answer.problem) return void this.report(answer.problem);
    this.keep();
    this.end = () => {
      this.orders = answer.orders.map((order) => [...order]);
      this.changed();
      this.compute();
      this.report(this.matched(was, answer));
    };
    if (calm()) this.settle();
    else this.play(answer.orders);
  }

  // What is said of the alignment; the same words again are not read out again.
  report(words) {
    const place = this.part(".sm-matched");
    if (place.textContent !== words) place.textContent = words;
  }

  matched(was, answer) {
    const places = was.orders.flatMap((order, k) => order.map((unit, place) => [unit, place, k]));
    const moved = places.filter(([unit, place, k]) => answer.orders[k][place] !== unit).length;
    const back = places.filter(([unit, place, k]) => unit !== place && answer.orders[k][place] === place).length;
    const { apart, views } = this;
    return matchedText({ apart, was, now: { moved, back, away: this.away() }, answer, trunk: this.data.trunk, first: views.first.score, mean: this.mean.score });
  }

  // One unit after the other, in all layers at once, goes where the matching puts it.
  play(goal) {
    let moving = false;
    this.orders.forEach((order, k) => {
      const place = order.findIndex((unit, at) => goal[k][at] !== unit);
      if (place < 0) return;
      moving = true;
      this.orders[k] = swapped(order, place, order.indexOf(goal[k][place]));
    });
    if (!moving) return this.settle();
    this.changed();
    this.playing = setTimeout(() => this.play(goal), STEP);
  }

  // Whatever is played comes to its end at once.
  settle() {
    clearTimeout(this.playing);
    const { end } = this;
    this.end = null;
    end?.();
  }

  // What is computed and drawn.

  away() { return this.orders.flatMap((order) => order.filter((unit, place) => unit !== place)).length; }

  compute() {
    this.stale = false;
    const standing = permuted(this.source, this.orders);
    this.views.second = this.look(standing);
    this.mean = this.views.mean = this.look(average(this.first, standing));
    this.difference = largestDifference(this.views.second.logits, this.views.own.logits);
    this.say();
    this.draw();
  }

  say() {
    const { views, apart, difference } = this, away = this.away();
    const all = this.orders.flat().length;
    const told = (name) => ({ title: this.titles[name], accuracy: views[name].score.accuracy });
    this.part(".sm-summary").textContent = summaryText({ apart, away, all, difference, first: told("first"), second: told("second"), mean: told("mean") });
    const notes = ["As it was trained.", changeText(difference), "Weight by weight, place by place."];
    const titles = [apart ? this.titles.first : "Original", apart ? `${this.titles.second}, in this order` : "Shuffled", "Average of both"];
    ["first", "second", "mean"].forEach((name, i) => this.planes[i].say(titles[i], views[name].score, notes[i]));
    Object.assign(this.host.dataset, { difference, away });
    this.dress();
  }

  dress() {
    this.tools.undo.disabled = !this.past.length;
    this.tools.reset.disabled = !this.away();
    this.tools.align.disabled = this.asked !== null;
    this.tools.align.textContent = this.asked ? "Matching…" : "Align";
  }

  draw() {
    if (!this.views?.mean) return;
    const { samples, palette, classes } = this;
    ["first", "second", "mean"].forEach((name, i) => this.planes[i].draw({ ...this.views[name], samples, palette, classes }));
  }

  soon() { this.frame ??= requestAnimationFrame(() => this.step()); }

  step() {
    this.frame = null;
    if (this.stale) this.compute();
    const going = this.columns.map((column) => column.glide(calm() ? 1 : 0.3));
    if (going.some(Boolean)) this.soon();
  }

  tell() {
    clearTimeout(this.telling);
    this.telling = setTimeout(() => this.tellNow(), REST);
  }

  tellNow() {
    if (!this.telling) return;
    clearTimeout(this.telling);
    this.telling = null;
    this.send("orders", { count: Date.now(), orders: this.orders });
    this.part(".sm-said").textContent = this.part(".sm-summary").textContent; // for screen readers, once it rests
  }

  destroy() {
    this.stop.abort();
    this.seen.disconnect();
    clearTimeout(this.playing);
    clearTimeout(this.telling);
  }
}

export default function (component) {
  const parent = component.parentElement;
  const hand = (parent.softmergeHand ??= new Hand(parent));
  hand.update(component.data, component.setStateValue);
  return () => setTimeout(() => { if (!hand.host.isConnected) hand.destroy(); });
}
