// The controls of a film. The browser fetches the figures of a moment by itself and hands them to the page's charts
// (film_moment.js), for a run of the page's script takes longer than the eye waits; that follows once the reader rests.
const REST = 500; // ms at one moment, after which the server is told, whose words follow then
const BRISK = 1000; // ms: who goes on sooner is not disturbed by the page's answer between two steps
const INSTANT = 10; // ms, within which Streamlit takes news together
const SELDOM = 1500; // ms between two tellings while the film plays
const PAUSES = { slow: 700, usual: 300, fast: 100 }; // ms that a moment is shown
const LONGEST = 150; // moments of a film that plays: of a longer one some are passed over
const KEPT = 500; // moments that are kept, so that going back needs no fetching

class Film {
  constructor(parent) {
    this.host = parent.querySelector(".sm-film");
    this.slider = this.host.querySelector("input");
    this.speed = this.host.querySelector("select");
    this.known = new Map();
    this.steps = [];
    this.place = null; // the run as it is: the end of a live one, which is followed
    this.towards = 1;
    this.slider.addEventListener("input", () => { this.hold(); this.go(Number(this.slider.value)); });
    this.press("play", () => (this.playing ? this.hold() : this.play()));
    this.press("back", () => this.step(-1));
    this.press("on", () => this.step(1));
    this.stop = new AbortController();
    // What is pressed next may be about this moment: the server has to know of it before.
    document.addEventListener("pointerdown", (event) => {
      if (!event.composedPath().includes(this.host)) this.tellNow();
    }, { signal: this.stop.signal, capture: true });
    document.addEventListener("click", (event) => this.keepApart(event), { signal: this.stop.signal, capture: true });
    this.host.addEventListener("focusout", () => this.tellNow());
  }

  press(name, act) {
    this.host.querySelector(`button[name=${name}]`).addEventListener("click", act);
  }

  get last() { return this.steps.length - 1; }
  get shown() { return this.place ?? this.last; }

  update(data, send) {
    this.send = send;
    const led = data.run !== this.data?.run || data.jump !== this.data?.jump;
    if (data.run !== this.data?.run || data.address !== this.data?.address) this.known.clear();
    this.data = data;
    this.steps = data.steps.flatMap(([first, distance, count]) => Array.from({ length: count }, (_, i) => first + distance * i));
    if (led) { this.hold(); this.place = data.place; }
    this.dress();
    this.show();
    this.load();
  }

  dress() {
    const empty = this.last < 1;
    for (const control of [this.slider, this.speed, ...this.host.querySelectorAll("button")]) control.disabled = empty;
    this.slider.max = Math.max(this.last, 0);
    this.host.style.setProperty("--sm-letters", this.text(this.last).length);
  }

  text(place) { return (this.steps[place] ?? 0).toLocaleString("en"); }

  step(by) {
    this.hold();
    this.go(this.shown + by);
  }

  go(place) {
    const before = this.shown, within = Math.min(Math.max(place, 0), this.last);
    this.place = this.data.live && within === this.last ? null : within;
    if (this.shown !== before) this.towards = Math.min(Math.max(this.shown - before, -this.stride), this.stride);
    this.show();
    this.load();
    this.tell();
  }

  get stride() { return this.playing ? Math.max(1, Math.round(this.last / LONGEST)) : 1; }

  play() {
    this.playing = true;
    this.host.dataset.playing = "yes";
    this.host.querySelector("button[name=play] span").textContent = "Pause";
    if (this.shown === this.last) this.go(0);
    this.tick();
  }

  hold() {
    if (!this.playing) return;
    clearTimeout(this.timer);
    this.playing = false;
    delete this.host.dataset.playing;
    this.host.querySelector("button[name=play] span").textContent = "Play";
    this.tell();
  }

  // The next moment comes when this one was seen long enough, however long fetching it takes.
  tick() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      if (this.loading && !this.known.has(this.place)) return this.tick();
      this.go(this.shown + this.stride);
      if (this.shown === this.last) this.hold();
      else this.tick();
    }, PAUSES[this.speed.value]);
  }

  // The line on the curves moves at once; the figures as soon as they are there, until then the last ones stay.
  show() {
    this.slider.value = this.shown;
    const of = this.place === null && this.data.live ? ", live" : ` of ${this.text(this.last)}`;
    this.host.querySelector("output").textContent = this.last < 0 ? "–" : this.text(this.shown);
    this.slider.setAttribute("aria-valuetext", `Step ${this.text(this.shown)}${of}`);
    const moment = this.known.get(this.place);
    const figures = moment?.figures ?? window.softmergeMoment?.figures ?? {};
    const marks = Object.fromEntries(this.data.marked.map((key) => [key, this.steps[this.shown]]));
    const told = this.host.querySelector(".sm-film-said");
    if (this.last < 1) told.textContent = "There is nothing to go through yet.";
    else if (this.place === null) told.textContent = `This is the run as it ${this.data.live ? "goes on" : "ended"}. Go back to see how it came here.`;
    else if (moment) told.textContent = moment.said;
    announce(this.place === null || this.last < 1 ? null : { figures, marks, theme: this.data.theme });
  }

  // The moment that is looked at, then the next one, which is likely to be looked at soon.
  next() {
    if (this.place === null) return null;
    const wanted = [this.place, this.place + this.towards];
    return wanted.find((place) => place >= 0 && place <= this.last && !this.known.has(place)) ?? null;
  }

  async load() {
    if (this.loading) return;
    this.loading = true;
    for (let place = this.next(); place !== null && this.host.isConnected; place = this.next()) {
      const { address } = this.data;
      const moment = await fetched(address.replace("{place}", place));
      if (address !== this.data.address) continue;
      this.known.set(place, moment);
      if (this.known.size > KEPT) this.known.delete(this.known.keys().next().value);
      if (place === this.place) this.show();
    }
    this.loading = false;
  }

  tell() {
    const since = performance.now() - (this.moved ?? -BRISK);
    this.moved = performance.now();
    const rest = since < BRISK ? Math.max(REST, 1.5 * since) : REST;
    if (!this.playing) clearTimeout(this.telling);
    else if (this.telling) return;
    this.telling = setTimeout(() => this.tellNow(), this.playing ? SELDOM : rest);
  }

  tellNow() {
    if (!this.telling) return;
    clearTimeout(this.telling);
    this.telling = this.pressed ? setTimeout(() => this.tellNow(), INSTANT) : null;
    if (this.telling) return;
    this.send("at", { run: this.data.run, place: this.place, jump: this.data.jump });
    this.sent = true;
    setTimeout(() => { this.sent = false; }, INSTANT);
  }

  // Streamlit sends all news of one instant as those of one part of the page, and a press in another would be lost: it
  // waits for the next instant, as the news do after a press.
  keepApart(event) {
    const [target, ...around] = event.composedPath();
    if (target === this.host || around.includes(this.host)) return;
    if (this.sent) {
      event.preventDefault();
      event.stopImmediatePropagation();
      setTimeout(() => target.dispatchEvent(new MouseEvent("click", event)), 2 * INSTANT);
      return;
    }
    this.pressed = true;
    setTimeout(() => { this.pressed = false; }, INSTANT);
  }

  destroy() {
    this.stop.abort();
    clearTimeout(this.timer);
    clearTimeout(this.telling);
    announce(null);
  }
}

function announce(moment) {
  window.softmergeMoment = moment;
  window.dispatchEvent(new Event("softmerge-moment"));
}

// A moment as the server has it, or nothing, as where it was deleted: then what the page shows by itself stays.
async function fetched(address) {
  for (const base of [document.baseURI, location.origin]) {
    try {
      const answer = await fetch(new URL(address, base));
      if (answer.ok) return await answer.json();
    } catch { /* the other address may be right */ }
  }
  return null;
}

export default function (component) {
  const parent = component.parentElement;
  const film = (parent.softmergeFilm ??= new Film(parent));
  film.update(component.data, component.setStateValue);
  return () => setTimeout(() => { if (!film.host.isConnected) film.destroy(); });
}
