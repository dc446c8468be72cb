// A curve that is drawn by hand: the pointer goes over the picture, or the arrow keys move one point after the other.
const ROOM = { left: 44, right: 14, top: 24, bottom: 46 };
const SVG = "http://www.w3.org/2000/svg";
const MARKS = [0, 0.25, 0.5, 0.75, 1];

function element(parent, name, attributes, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return parent.appendChild(made);
}

class Sketch {
  constructor(parent) {
    this.host = parent.querySelector(".sm-sketch");
    this.area = parent.querySelector(".sm-sketch-area");
    this.svg = this.area.querySelector("svg");
    this.points = parent.querySelector(".sm-sketch-points");
    this.legend = parent.querySelector(".sm-sketch-legend");
    this.svg.setAttribute("aria-hidden", "true");
    this.svg.addEventListener("pointerdown", (event) => this.begin(event));
    this.svg.addEventListener("pointermove", (event) => this.move(event));
    for (const end of ["pointerup", "pointercancel"]) this.svg.addEventListener(end, () => this.end());
    this.watch = new ResizeObserver(() => this.draw());
    this.watch.observe(this.area);
  }

  update(data, send) {
    const led = data.locked || !this.data || this.data.locked || data.places.length !== this.values.length;
    this.data = data;
    this.send = send;
    if (led) this.values = [...data.start];
    this.host.toggleAttribute("data-locked", data.locked);
    this.host.setAttribute("aria-label", `${data.height} along: ${data.along}`);
    this.sliders();
    this.draw();
  }

  sliders() {
    const { places, height, locked } = this.data;
    if (locked || this.points.children.length !== places.length) {
      this.points.replaceChildren();
      if (locked) return;
      places.forEach((place, number) => {
        const input = document.createElement("input");
        Object.assign(input, { type: "range", min: 0, max: 100, step: 1 });
        input.addEventListener("input", () => { this.values[number] = input.value / 100; this.draw(); this.tell(); });
        for (const change of ["focus", "blur"]) input.addEventListener(change, () => this.draw());
        this.points.append(input);
      });
    }
    [...this.points.children].forEach((input, number) => {
      input.setAttribute("aria-label", `${height} at ${places[number]}`);
    });
  }

  get width() { return this.area.clientWidth; }
  x(share) { return ROOM.left + share * (this.width - ROOM.left - ROOM.right); }
  y(height) { return ROOM.top + (1 - height) * (this.data.px - ROOM.top - ROOM.bottom); }

  line(values, name) {
    const d = values.map((value, at) => `${at ? "L" : "M"}${this.x(at / (values.length - 1))},${this.y(value)}`).join("");
    return element(this.svg, "path", { d, class: name });
  }

  draw() {
    if (!this.data || !this.width) return;
    const { places, px, truth, given, along, height } = this.data;
    this.svg.replaceChildren();
    this.svg.setAttribute("height", px);
    this.svg.setAttribute("viewBox", `0 0 ${this.width} ${px}`);
    for (const mark of MARKS) {
      element(this.svg, "line", { x1: this.x(0), x2: this.x(1), y1: this.y(mark), y2: this.y(mark), class: "sm-grid" });
      element(this.svg, "text", { x: ROOM.left - 8, y: this.y(mark) + 4, "text-anchor": "end" }, 100 * mark);
    }
    element(this.svg, "text", { x: 2, y: 12 }, height);
    const seldom = Math.ceil((places.length * 44) / this.width);
    places.forEach((place, at) => {
      if (at % seldom) return;
      const anchor = at === places.length - 1 ? "end" : "middle";
      element(this.svg, "text", { x: this.x(at / (places.length - 1)) + (anchor === "end" ? 8 : 0), y: px - 28, "text-anchor": anchor }, place);
    });
    element(this.svg, "text", { x: this.x(0.5), y: px - 6, "text-anchor": "middle" }, along);
    if (given.length) this.line(given, "sm-given");
    if (truth.length) this.parted();
    this.line(this.values, "sm-you");
    if (truth.length) this.line(truth, "sm-true");
    else this.handles();
    this.tellLegend();
  }

  handles() {
    this.values.forEach((value, at) => {
      const place = { cx: this.x(at / (this.values.length - 1)), cy: this.y(value) };
      const input = this.points.children[at];
      const focus = input === this.points.getRootNode().activeElement;
      if (focus) element(this.svg, "circle", { ...place, r: 12, class: "sm-ring" });
      element(this.svg, "circle", { ...place, r: 6, class: "sm-dot", ...(focus ? { "data-focus": "" } : {}) });
      input.value = Math.round(100 * value);
      input.setAttribute("aria-valuetext", `${Math.round(100 * value)} percent`);
      input.style.left = `calc(${place.cx}px - 1rem)`;
    });
  }

  // A thin line where the two part most.
  parted() {
    const { truth } = this.data, last = this.values.length - 1;
    const at = (share) => {
      const place = share * (truth.length - 1), before = Math.min(Math.floor(place), truth.length - 2);
      return truth[before] + (place - before) * (truth[before + 1] - truth[before]);
    };
    const gaps = this.values.map((value, number) => Math.abs(value - at(number / last)));
    const most = gaps.indexOf(Math.max(...gaps)), x = this.x(most / last);
    element(this.svg, "line", { x1: x, x2: x, y1: this.y(this.values[most]), y2: this.y(at(most / last)), class: "sm-apart" });
  }

  tellLegend() {
    const { truth, given, given_name } = this.data;
    const named = [["sm-you", "You"], ...(truth.length ? [["sm-true", "The recorded run"]] : []), ...(given.length ? [["sm-given", given_name]] : [])];
    this.legend.replaceChildren(...named.map(([name, text]) => {
      const one = document.createElement("span"), sign = document.createElementNS(SVG, "svg");
      sign.setAttribute("viewBox", "0 0 36 12");
      sign.setAttribute("aria-hidden", "true");
      element(sign, "path", { d: "M2,6L34,6", class: name });
      one.append(sign, text);
      return one;
    }));
  }

  begin(event) {
    if (this.data.locked || event.button) return;
    this.svg.setPointerCapture(event.pointerId);
    this.before = null;
    this.pen = true;
    this.move(event);
    event.preventDefault();
  }

  // A pen that is quick skips points: those between its last place and this one lie on the line between them.
  move(event) {
    if (!this.pen) return;
    const box = this.svg.getBoundingClientRect(), last = this.values.length - 1;
    const share = (event.clientX - box.left - ROOM.left) / (this.width - ROOM.left - ROOM.right);
    const height = 1 - (event.clientY - box.top - ROOM.top) / (this.data.px - ROOM.top - ROOM.bottom);
    const within = (value) => Math.min(Math.max(value, 0), 1);
    const now = { at: Math.round(within(share) * last), height: Math.round(100 * within(height)) / 100 };
    const from = this.before ?? now, way = Math.abs(now.at - from.at) || 1, towards = Math.sign(now.at - from.at);
    for (let step = 0; step <= Math.abs(now.at - from.at); step++) {
      this.values[from.at + towards * step] = from.height + ((now.height - from.height) * (now.at === from.at ? 1 : step / way));
    }
    this.before = now;
    this.draw();
  }

  end() {
    if (!this.pen) return;
    this.pen = false;
    this.tell();
  }

  tell() {
    clearTimeout(this.later);
    this.later = setTimeout(() => this.send("drawn", this.values.map((value) => Math.round(1000 * value) / 1000)), 150);
  }
}

export default function (component) {
  const parent = component.parentElement;
  const sketch = (parent.softmergeSketch ??= new Sketch(parent));
  sketch.update(component.data, component.setStateValue);
}
