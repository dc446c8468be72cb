// The units of one hidden layer: on the left where they were trained, on the right where they stand, joined by lines.
const SVG = "http://www.w3.org/2000/svg";
const MANY = 40; // units of a layer from which rows are lower
const FINGER = 24; // px: the least height of a row that a finger is to meet
const NEAR = 4; // px that a pointer may move and still be a click

function made(tag, name, text = "") {
  const element = document.createElement(tag);
  element.className = name;
  element.textContent = text;
  return element;
}

class Columns {
  // `act`: {move(from, to), swap(a, b), begin(), end()}, about places.
  constructor(title, sizes, act) {
    this.act = act;
    this.title = title;
    this.node = made("div", "sm-layer");
    this.head = made("p", "sm-layer-title", title);
    this.stage = made("div", "sm-stage");
    this.svg = document.createElementNS(SVG, "svg");
    this.svg.setAttribute("aria-hidden", "true");
    this.svg.setAttribute("preserveAspectRatio", "none");
    this.home = made("div", "sm-home");
    this.home.setAttribute("aria-hidden", "true");
    this.now = made("div", "sm-now");
    this.now.setAttribute("role", "group");
    this.now.setAttribute("aria-label", `${title}: its units in the order in which they stand`);
    this.stage.append(this.home, this.svg, this.now);
    this.node.append(this.head, this.stage);
    this.order = [];
    this.marked = null;
    this.build(sizes);
  }

  build(sizes) {
    const most = Math.max(...sizes) || 1, many = sizes.length > MANY, touch = matchMedia("(pointer: coarse)").matches;
    const letter = parseFloat(getComputedStyle(document.documentElement).fontSize);
    this.row = Math.max(Math.round(letter * (many ? 0.75 : 0.9)), touch ? FINGER : 0);
    this.stage.style.height = `${this.row * sizes.length}px`;
    this.stage.style.setProperty("--sm-row", `${this.row}px`);
    this.svg.setAttribute("viewBox", `0 0 100 ${this.row * sizes.length}`);
    this.lines = sizes.map(() => this.svg.appendChild(document.createElementNS(SVG, "path")));
    this.bars = sizes.map((size, unit) => {
      const bar = (side) => {
        const label = made("span", "sm-unit-bar");
        label.style.width = `${(1.5 * size / most).toFixed(2)}em`;
        return side.append(made("span", "sm-unit-name", `${unit + 1}`), label), side;
      };
      const mark = bar(made("div", "sm-trained"));
      mark.style.transform = `translateY(${unit * this.row}px)`;
      this.home.append(mark);
      return bar(made("button", "sm-unit"));
    });
    this.heights = sizes.map((_, unit) => unit * this.row);
    this.bars.forEach((button, unit) => this.wire(button, unit));
    this.now.append(...this.bars);
  }

  wire(button, unit) {
    button.type = "button";
    button.addEventListener("pointerdown", (event) => this.grab(event, unit));
    button.addEventListener("pointermove", (event) => this.drag(event, unit));
    button.addEventListener("pointerup", () => this.drop());
    button.addEventListener("pointercancel", () => this.drop());
    button.addEventListener("click", () => this.press(unit));
    button.addEventListener("keydown", (event) => this.key(event, unit));
    for (const [begun, ended] of [["pointerenter", "pointerleave"], ["focus", "blur"]]) {
      button.addEventListener(begun, () => this.lit(unit, true));
      button.addEventListener(ended, () => this.lit(unit, false));
    }
  }

  lit(unit, on) { this.lines[unit].classList.toggle("sm-lit", on); }

  place(unit) { return this.order.indexOf(unit); }

  grab(event, unit) {
    if (event.button !== 0) return;
    this.held = { unit, from: event.clientY, dragging: false };
    this.dragged = false;
    this.bars[unit].setPointerCapture(event.pointerId);
  }

  drag(event, unit) {
    if (this.held?.unit !== unit) return;
    if (!this.held.dragging && Math.abs(event.clientY - this.held.from) < NEAR) return;
    if (!this.held.dragging) {
      this.held.dragging = this.dragged = true;
      this.mark(null);
      this.act.begin();
      this.bars[unit].classList.add("sm-held");
    }
    const top = this.stage.getBoundingClientRect().top, last = this.order.length - 1;
    const middle = Math.min(Math.max(event.clientY - top - this.row / 2, 0), last * this.row);
    this.held.height = middle;
    const to = Math.round(middle / this.row), from = this.place(unit);
    if (to !== from) this.act.move(from, to);
    else this.act.redraw();
  }

  drop() {
    if (this.held?.dragging) {
      this.bars[this.held.unit].classList.remove("sm-held");
      this.held = null;
      this.act.end();
    }
    this.held = null;
  }

  press(unit) {
    if (this.dragged) { this.dragged = false; return; } // the click that ends a drag
    this.roving = unit;
    if (this.marked === null) this.mark(unit);
    else if (this.marked === unit) this.mark(null);
    else {
      const other = this.marked;
      this.mark(null);
      this.act.swap(this.place(other), this.place(unit));
    }
    this.dress();
  }

  mark(unit) {
    this.marked = unit;
    this.bars.forEach((button, each) => button.setAttribute("aria-pressed", each === unit));
  }

  // Up and down move the unit, left and right go from one to another.
  key(event, unit) {
    const at = this.place(unit), last = this.order.length - 1;
    const moves = { ArrowUp: at - 1, ArrowDown: at + 1, Home: 0, End: last }, goes = { ArrowLeft: at - 1, ArrowRight: at + 1 };
    if (event.key === "Escape") this.mark(null);
    const to = moves[event.key] ?? goes[event.key];
    if (to === undefined) return;
    event.preventDefault();
    if (to < 0 || to > last || to === at) return;
    if (event.key in moves) this.act.step(at, to);
    else this.go(this.order[to]);
  }

  go(unit) {
    this.roving = unit;
    this.dress();
    this.bars[unit].focus();
  }

  show(order) {
    this.order = order;
    this.dress();
  }

  // Names, marks and who can be reached by Tab: one unit of the layer.
  dress() {
    const reached = this.roving ?? this.order[0];
    this.order.forEach((unit, place) => {
      const button = this.bars[unit], away = unit !== place;
      button.tabIndex = unit === reached ? 0 : -1;
      button.setAttribute("aria-label", `Unit ${unit + 1}, in place ${place + 1}`);
      if (!button.hasAttribute("aria-pressed")) button.setAttribute("aria-pressed", "false");
      button.classList.toggle("sm-away", away);
      this.lines[unit].classList.toggle("sm-away", away);
    });
    const moved = this.order.filter((unit, place) => unit !== place).length;
    this.head.textContent = `${this.title}: ${moved} of ${this.order.length} elsewhere`;
  }

  // Bring every unit a part (0-1) of the way to its place; returns whether any is still on its way.
  glide(part) {
    let going = false;
    this.order.forEach((unit, place) => {
      const wanted = this.held?.dragging && this.held.unit === unit ? this.held.height : place * this.row;
      const rest = wanted - this.heights[unit];
      this.heights[unit] = Math.abs(rest) < 0.5 ? wanted : this.heights[unit] + part * rest;
      going ||= this.heights[unit] !== wanted;
      this.draw(unit);
    });
    return going;
  }

  draw(unit) {
    const from = (unit + 0.5) * this.row, to = this.heights[unit] + this.row / 2;
    this.bars[unit].style.transform = `translateY(${this.heights[unit].toFixed(1)}px)`;
    this.lines[unit].setAttribute("d", `M0 ${from} C50 ${from} 50 ${to.toFixed(1)} 100 ${to.toFixed(1)}`);
  }
}
