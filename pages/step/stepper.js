// One training step in slow motion: frames of a sentence, a formula and a picture. All of them lie in one place, so that
// going from one to the next moves nothing; the server is not asked.
const PAUSE = 4000; // ms that a frame is shown while it plays: two lines are read

const make = (name, kind, text) => {
  const made = document.createElement(name);
  if (kind) made.className = kind;
  if (text !== undefined) made.textContent = text;
  return made;
};
const percent = (share) => `${100 * Math.min(Math.max(share, 0), 1)}%`;
const short = (value) => {
  if (value === 0) return "0";
  const size = Math.abs(value);
  const text = size < 0.001 || size >= 1e5 ? value.toExponential(1) : value.toPrecision(3);
  return text.replace(/-/g, "−");
};
const exact = (value) => value.toFixed(4).replace("-", "−");
const gate = (value) => (value === 0 ? "0, closed" : value === 1 ? "1, open" : short(value));

class Stepper {
  constructor(parent) {
    this.host = parent.querySelector(".sm-step");
    this.stage = this.host.querySelector(".sm-step-stage");
    this.places = this.host.querySelector(".sm-step-places");
    this.at = 0;
    this.press("back", () => { this.hold(); this.go(this.at - 1); });
    this.press("on", () => { this.hold(); this.go(this.at + 1); });
    this.press("play", () => (this.playing ? this.hold() : this.play()));
    this.host.addEventListener("keydown", (event) => {
      const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!by || event.altKey || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      this.hold();
      this.go(this.at + by);
    });
  }

  button(name) { return this.host.querySelector(`button[name=${name}]`); }
  press(name, act) { this.button(name).addEventListener("click", act); }

  update(data) {
    const text = JSON.stringify(data);
    if (text === this.text) return;
    this.text = text;
    this.data = data;
    this.places.replaceChildren(...data.frames.map((frame, place) => this.place(frame, place)));
    this.stage.replaceChildren(...data.frames.map((frame, place) => this.frame(frame, place)));
    this.go(Math.min(this.at, data.frames.length - 1));
  }

  place(frame, place) {
    const item = make("li");
    const button = make("button", "", `${place + 1}`);
    button.type = "button";
    button.title = frame.title;
    button.setAttribute("aria-label", `${place + 1}: ${frame.title}`);
    button.addEventListener("click", () => { this.hold(); this.go(place); });
    item.append(button);
    return item;
  }

  frame(frame, place) {
    const made = make("section", "sm-step-frame");
    made.setAttribute("aria-label", `${place + 1} of ${this.data.frames.length}: ${frame.title}`);
    const picture = make("div", `sm-step-picture sm-step-${frame.picture.kind}`);
    picture.append(...DRAWN[frame.picture.kind](frame.picture, this.data.colours));
    const label = make("p", "sm-step-label", frame.picture.label);
    made.append(make("h2", "", `${place + 1}. ${frame.title}`), make("p", "sm-step-words", frame.words));
    made.append(make("p", "sm-step-formula", frame.formula), label, picture);
    return made;
  }

  go(place) {
    const last = this.data.frames.length - 1;
    this.at = Math.min(Math.max(place, 0), last);
    [...this.stage.children].forEach((frame, each) => frame.toggleAttribute("data-shown", each === this.at));
    [...this.places.children].forEach((item, each) => {
      if (each === this.at) item.firstChild.setAttribute("aria-current", "step");
      else item.firstChild.removeAttribute("aria-current");
    });
    this.button("back").setAttribute("aria-disabled", this.at === 0);
    this.button("on").setAttribute("aria-disabled", this.at === last);
    const { title } = this.data.frames[this.at];
    this.host.querySelector(".sm-step-said").textContent = `${this.at + 1} of ${last + 1}: ${title}`;
  }

  play() {
    this.playing = true;
    this.host.dataset.playing = "yes";
    this.button("play").querySelector("span").textContent = "Pause";
    if (this.at === this.data.frames.length - 1) this.go(0);
    this.tick();
  }

  tick() {
    this.timer = setTimeout(() => {
      this.go(this.at + 1);
      if (this.at === this.data.frames.length - 1) this.hold();
      else this.tick();
    }, PAUSE);
  }

  hold() {
    clearTimeout(this.timer);
    this.playing = false;
    delete this.host.dataset.playing;
    this.button("play").querySelector("span").textContent = "Play";
  }
}

// A row of a picture: a name, a track, and its numbers.
function row(name, told, chosen) {
  const made = make("div", "sm-step-row");
  if (chosen) made.dataset.chosen = "yes";
  const track = make("div", "sm-step-track");
  track.setAttribute("aria-hidden", "true");
  made.append(make("span", "sm-step-name", name), track, make("span", "sm-step-told", told));
  return [made, track];
}

function bar(from, to, colour, kind = "sm-step-bar") {
  const made = make("i", kind);
  made.style.left = percent(Math.min(from, to));
  made.style.width = percent(Math.abs(to - from));
  if (colour) made.style.background = colour;
  return made;
}

function mark(at, kind, text = "") {
  const made = make("i", kind, text);
  made.style.left = percent(at);
  return made;
}

function bars(picture, colours, told) {
  return picture.values.map((value, each) => {
    const [made, track] = row(picture.names[each], told(value, each), each === picture.chosen);
    const shade = colours.cividis[Math.round(value * (colours.cividis.length - 1))];
    track.append(value > 0 ? bar(0, value, shade) : mark(0, "sm-step-shut"));
    return made;
  });
}

function legend(entries) {
  const made = make("p", "sm-step-legend");
  made.append(...entries.map(([name, colour, text]) => {
    const item = make("span", "", name);
    const sample = make("b", "", text);
    sample.style.background = colour;
    item.prepend(sample);
    return item;
  }));
  return made;
}

// What the sources add, from the base on: to the right what makes the weight larger, to the left what makes it smaller.
function mix(picture, colours) {
  const reach = (signs) => picture.parts.map((parts, each) => signs * picture.base[each]
    + parts.reduce((sum, part) => sum + Math.max(signs * part, 0), 0));
  const far = Math.max(...reach(1), ...reach(-1), ...picture.totals.map(Math.abs)) || 1;
  const place = (value) => 0.5 + (0.5 * value) / far;
  const rows = picture.rows.map((name, each) => {
    const [made, track] = row(name, `= ${short(picture.totals[each])}`, false);
    const ends = { 1: picture.base[each], "-1": picture.base[each] };
    track.append(mark(0.5, "sm-step-zero"));
    picture.parts[each].forEach((part, source) => {
      if (part === 0) return;
      const sign = Math.sign(part);
      const piece = bar(place(ends[sign]), place(ends[sign] + part), colours.sources[source % colours.sources.length]);
      if (Math.abs(part) / far > 0.12) piece.textContent = `${source + 1}`;
      track.append(piece);
      ends[sign] += part;
    });
    track.append(mark(place(picture.totals[each]), "sm-step-total"));
    return made;
  });
  const named = picture.names.map((name, each) => [name, colours.sources[each % colours.sources.length], `${each + 1}`]);
  return [...rows, legend([...named, ["their sum", "transparent", "│"]])];
}

function losses(picture, colours) {
  const total = picture.task + picture.penalty || 1;
  const [made, track] = row("sum", short(picture.task + picture.penalty), true);
  track.append(bar(0, picture.task / total, colours.task), bar(picture.task / total, 1, colours.penalty));
  return [made, legend([
    [`task loss ${short(picture.task)}`, colours.task, "\u00a0"],
    [`penalty ${short(picture.penalty)}`, colours.penalty, "\u00a0"],
  ])];
}

// How loss and penalty push each gate, to one scale.
function pushes(picture, colours) {
  const far = Math.max(...picture.loss.map(Math.abs), ...picture.penalty.map(Math.abs)) || 1;
  const rows = picture.names.map((name, each) => {
    const told = `${short(picture.loss[each])} and ${short(picture.penalty[each])}`;
    const [made, track] = row(name, told, each === picture.chosen);
    track.append(mark(0.5, "sm-step-zero"));
    for (const kind of ["loss", "penalty"]) {
      const value = picture[kind][each];
      if (value === 0) continue;
      const arrow = bar(0.5, 0.5 + (0.46 * value) / far, kind === "loss" ? colours.task : colours.penalty, `sm-step-${kind}`);
      arrow.dataset.way = value > 0 ? "right" : "left";
      arrow.style.color = kind === "loss" ? colours.task : colours.penalty;
      track.append(arrow);
    }
    return made;
  });
  return [...rows, legend([["push by the loss", colours.task, "\u00a0"], ["push by the penalty", colours.penalty, "\u00a0"]])];
}

// From where to where each gate goes; left of the first line it is exactly 0 in the merged network, right of the other 1.
function moves(picture, colours) {
  const near = [...picture.before, ...picture.after].map((value) => Math.min(Math.max(value, -6), 6));
  const low = Math.min(picture.ends[0] - 1, ...near), high = Math.max(picture.ends[1] + 1, ...near);
  const place = (value) => 0.02 + (0.96 * (Math.min(Math.max(value, low), high) - low)) / (high - low);
  const rows = picture.names.map((name, each) => {
    const [before, after] = [picture.before[each], picture.after[each]];
    const [made, track] = row(name, `${exact(before)} → ${exact(after)}`, each === picture.chosen);
    track.append(...picture.ends.map((end) => mark(place(end), "sm-step-end")));
    track.append(bar(place(before), place(after), colours.total, "sm-step-way"));
    track.append(mark(place(before), "sm-step-before"), mark(place(after), "sm-step-after"));
    return made;
  });
  const [shut, open] = picture.ends.map(short);
  const told = make("p", "sm-step-legend", `Lines: without noise a gate is closed from ${shut} down, and fully open from ${open} up. Ring: before; disc: after.`);
  return [...rows, told];
}

const DRAWN = {
  gates: (picture, colours) => bars(picture, colours, gate),
  shares: (picture, colours) => bars(picture, colours, short),
  samples: (picture, colours) => bars(picture, colours, (value, each) => `${short(value)}, ${picture.marks[each]}`),
  mix, losses, pushes, moves,
};

export default function (component) {
  const parent = component.parentElement;
  const stepper = (parent.softmergeStepper ??= new Stepper(parent));
  stepper.update(component.data);
  return () => setTimeout(() => { if (!stepper.host.isConnected) stepper.hold(); });
}
