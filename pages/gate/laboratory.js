// The gate laboratory: everything is computed and drawn here, and the server is told where the reader has come to rest,
// for links alone. The mathematics, the pictures and the rain are in files of their own, which come first.
const TOLD_AFTER = 400; // ms of rest
const NAMES = ["log_alpha", "temperature", "gamma", "zeta"];
const SPOKEN = { log_alpha: "log alpha", temperature: "temperature", gamma: "lower end", zeta: "upper end" };

class Laboratory {
  constructor(parent) {
    this.host = parent.querySelector(".sm-gate");
    this.plots = Object.fromEntries(["gate", "rain", "l0"].map((name) => [name, new Plot(this.find(`canvas[data-picture=${name}]`))]));
    this.sliders = Object.fromEntries(NAMES.map((name) => [name, this.find(`input[name=${name}]`)]));
    this.rain = new Rain();
    this.corners = Object.keys(this.plots).map((name) => this.corner(name));
    this.times = []; // ms that the script took for each of the last frames
    this.stop = new AbortController();
    this.still = matchMedia("(prefers-reduced-motion: reduce)");
    this.watch = new ResizeObserver(() => this.remeasure());
    this.sight = new IntersectionObserver((seen) => { this.seen = seen.at(-1).isIntersecting; this.ask(); });
    this.listen();
  }

  find(selector) { return this.host.querySelector(selector); }

  corner(name) {
    const section = this.find(`.sm-picture-${name}`);
    return new PictureCorner(section.querySelector(".sm-drawing"), {
      title: section.querySelector("h2").textContent,
      file: () => FILES[name],
      height: heightInPrint(section),
      paint: (pen, dense) => drawInPrint(name, pen, dense, section, this),
      rows: () => VALUES[name](this.state, this.rain.draws),
    });
  }

  listen() {
    const options = { signal: this.stop.signal };
    for (const name of NAMES) {
      this.sliders[name].addEventListener("input", () => this.move({ [name]: Number(this.sliders[name].value) }));
      this.sliders[name].addEventListener("change", () => this.rest());
    }
    for (const handle of this.host.querySelectorAll(".sm-handle")) this.drag(handle);
    for (const button of this.host.querySelectorAll("button[data-preset]"))
      button.addEventListener("click", () => { this.move(this.data.presets[button.dataset.preset]); this.rest(); });
    this.find("button[name=rain]").addEventListener("click", () => this.pauseOrStart());
    this.find("button[name=many]").addEventListener("click", () => { this.rain.many(this.state, 1000); this.ask("rain"); });
    this.find("button[name=clear]").addEventListener("click", () => { this.rain.clear(); this.ask("rain"); });
    // What is pressed next may be about this state: the server has to know of it before.
    document.addEventListener("pointerdown", (event) => {
      if (!event.composedPath().includes(this.host)) this.tellNow();
    }, { ...options, capture: true });
    this.host.addEventListener("focusout", () => this.tellNow());
    for (const media of [this.still, matchMedia("(prefers-color-scheme: dark)")])
      media.addEventListener("change", () => this.remeasure(), options);
    this.watch.observe(this.host);
    this.sight.observe(this.plots.rain.canvas);
  }

  update(data, send) {
    const led = data.jump !== this.data?.jump;
    this.send = send;
    this.data = data;
    if (led) this.move(data.state);
    for (const name of NAMES) [this.sliders[name].min, this.sliders[name].max, this.sliders[name].step] = data.limits[name];
    this.remeasure();
  }

  move(change) {
    const next = { ...this.state, ...change };
    for (const name of NAMES) next[name] = within(next[name], ...this.data.limits[name].slice(0, 2));
    if (this.state && NAMES.every((name) => next[name] === this.state[name])) return;
    this.state = next;
    this.ask("state");
  }

  // A handle follows the pointer, also from where it was not touched in its middle.
  drag(handle) {
    let off = null;
    handle.addEventListener("pointerdown", (event) => {
      const box = handle.getBoundingClientRect();
      off = [event.clientX - box.left - box.width / 2, event.clientY - box.top - box.height / 2];
      handle.setPointerCapture(event.pointerId);
      event.preventDefault();
    });
    handle.addEventListener("pointermove", (event) => {
      if (!off) return;
      const plot = this.plots[handle.dataset.in], box = plot.canvas.getBoundingClientRect();
      this.move(this.dragged(handle.dataset.name, plot, event.clientX - off[0] - box.left, event.clientY - off[1] - box.top));
    });
    for (const end of ["pointerup", "pointercancel"]) handle.addEventListener(end, () => { if (off) { off = null; this.rest(); } });
  }

  dragged(name, plot, x, y) {
    if (name === "temperature") return { temperature: temperatureAt(plot, y) };
    if (name === "log_alpha" && plot === this.plots.gate) return { log_alpha: logAlphaOfDrag(plot, x, this.state) };
    return { [name]: plot.valueAt(x) };
  }

  pauseOrStart() {
    if (this.rain.raining) this.rain.running = false;
    else this.rain.start();
    this.ask("rain");
  }

  remeasure() {
    const dark = isDark(getComputedStyle(this.host).getPropertyValue("--st-background-color").trim());
    const colours = this.data.colours[dark ? "dark" : "light"];
    this.look = { colours, scale: this.data.scale };
    this.host.style.setProperty("--sm-scale", `linear-gradient(to right, ${this.data.scale.join(", ")})`);
    for (const [name, colour] of Object.entries(colours)) this.host.style.setProperty(`--sm-ink-${name}`, colour);
    const { fontSize } = getComputedStyle(document.documentElement), { fontFamily } = getComputedStyle(this.host);
    for (const plot of Object.values(this.plots)) plot.measure(parseFloat(fontSize), fontFamily);
    this.ask("state");
  }

  // Draw at the next frame: "state", everything; "rain", that picture.
  ask(what) {
    this.all ||= what === "state";
    this.frame ??= requestAnimationFrame((now) => this.show(now));
  }

  show(now) {
    const begun = performance.now(), all = this.all;
    this.frame = null;
    this.all = false;
    const { rain, plots, state } = this;
    rain.advance(state, now, this.still.matches);
    if (all) this.showState();
    if (plots.rain.width > 0) rain.draw(plots.rain, state, this.look, this.top, now);
    this.write("rain", rain.said(state));
    for (const corner of this.corners) corner.redrawn();
    this.write("rain-button", rain.raining ? "Pause" : "Go on");
    if (rain.moving && (this.seen || all)) this.next();
    this.times.push(performance.now() - begun);
    if (this.times.length > 1000) this.times.shift();
  }

  // Without motion there is nothing to draw until the next batch comes.
  next() {
    if (!this.still.matches) { this.ask(); return; }
    clearTimeout(this.batch);
    this.batch = setTimeout(() => this.ask(), BATCH_EVERY + 20);
  }

  showState() {
    const { plots, state, look } = this;
    this.rain.draws.again(state);
    if (!(plots.gate.width > 0)) return;
    this.top = drawGate(plots.gate, state, look);
    drawL0(plots.l0, state, look);
    const places = gateHandles(plots.gate, state);
    for (const handle of this.host.querySelectorAll(".sm-handle")) {
      const [x, y] = handle.dataset.in === "gate" ? places[handle.dataset.name] : l0Handle(plots.l0, state);
      handle.style.transform = `translate(${x}px, ${y}px)`;
    }
    for (const name of NAMES) this.showSlider(name);
    this.write("gate", this.said());
    this.write("l0", saidOfL0(state));
  }

  showSlider(name) {
    const slider = this.sliders[name], text = numberText(this.state[name]);
    if (Number(slider.value) !== this.state[name]) slider.value = this.state[name];
    slider.setAttribute("aria-valuetext", `${SPOKEN[name]} ${text}`);
    this.write(`value-${name}`, text);
  }

  write(name, text) {
    const place = ((this.places ??= {})[name] ??= this.find(`[data-said=${name}]`));
    if (place.textContent !== text) place.textContent = text;
  }

  said() {
    const { state, data } = this, gate = deterministicGate(state), step = stepAgainstPenalty(state, data.penalty, data.rate);
    return `This gate is exactly 0 in ${percentText(massAtZero(state))} of the draws and exactly 1 in ${percentText(massAtOne(state))}. ` +
      `Its expected L0 is ${numberText(expectedL0(state), 3)}, and a plain gradient step against the usual penalty lowers log\u00a0α by ${smallText(step)}. ` +
      `Without noise it is ${gate === 0 || gate === 1 ? `exactly ${gate}` : numberText(gate, 3)}.`;
  }

  // The reader rests: a screen reader hears the sentence now, and the server learns of the state soon.
  rest() {
    this.write("spoken", this.said());
    clearTimeout(this.telling);
    this.telling = setTimeout(() => this.tellNow(), TOLD_AFTER);
  }

  tellNow() {
    if (!this.telling) return;
    clearTimeout(this.telling);
    this.telling = null;
    this.send("at", { ...this.state, jump: this.data.jump });
  }

  destroy() {
    this.stop.abort();
    this.watch.disconnect();
    this.sight.disconnect();
    cancelAnimationFrame(this.frame);
    clearTimeout(this.batch);
    clearTimeout(this.telling);
  }
}

function saidOfL0(state) {
  const slope = gradientOfL0(state), steep = slope > 0.1 ? "steep" : slope > 0.01 ? "gentle" : slope > 0 ? "almost flat" : "flat";
  const surrogate = `The expected L0 is ${numberText(expectedL0(state), 3)} and its curve is ${steep} here: gradient ${smallText(slope)} for each unit of log\u00a0α.`;
  if (state.gamma === 0) return `${surrogate} The true L0 is 1 everywhere: without a stretch below 0 no gate can close.`;
  return `${surrogate} The true L0 is ${trueL0(state)}; its gradient is 0 on both sides of the step.`;
}

export default function (component) {
  const parent = component.parentElement;
  const laboratory = (parent.softmergeGate ??= new Laboratory(parent));
  laboratory.update(component.data, component.setStateValue);
  return () => setTimeout(() => { if (!laboratory.host.isConnected) laboratory.destroy(); });
}
