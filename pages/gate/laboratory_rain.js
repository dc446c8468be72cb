// Samples that rain: noise u is drawn, goes through the sigmoid and the stretch, is clipped, and falls into its bin.
const BINS = 20, SEED = 1; // the same rain at each visit
const PER_SECOND = 30, FALL = 1100; // draws, and ms that each is seen
const REST_AFTER = 600; // draws, after which the rain stops by itself until it is asked to go on
const MOST = 20_000; // draws that are kept
const BATCH = 50, BATCH_EVERY = 1000; // where motion is not wanted: draws at once, and ms between two such

class Rain {
  constructor() {
    this.uniform = noiseFrom(SEED);
    this.draws = new Draws(BINS, MOST);
    this.falling = [];
    this.running = true;
    this.left = REST_AFTER;
  }

  start() { this.running = true; this.left = REST_AFTER; }

  clear() { this.draws.clear(); this.falling = []; }

  get raining() { return this.running && this.left > 0 && !this.draws.full; }
  get moving() { return this.raining || this.falling.length > 0; }

  // So much time has gone by.
  advance(state, now, still) {
    const every = still ? BATCH_EVERY : 1000 / PER_SECOND;
    this.at ??= now;
    if (!this.raining || now - this.at > 5 * every) this.at = now - every; // it rested, or was not looked at meanwhile
    for (; this.raining && now - this.at >= every; this.at += every) this.drop(state, still);
    while (this.falling.length && now - this.falling[0].since >= FALL) this.draws.add(state, this.falling.shift().noise);
  }

  drop(state, still) {
    this.left -= still ? BATCH : 1;
    if (still) this.many(state, BATCH);
    else this.falling.push({ noise: logit(this.uniform()), since: this.at });
  }

  many(state, count) {
    for (let i = 0; i < count; i += 1) this.draws.add(state, logit(this.uniform()));
  }

  draw(plot, state, { colours, scale }, top, now) {
    plot.begin(colours, Z_RANGE, [0, top]);
    const floor = plot.box.top;
    plot.box.top += 0.42 * (plot.box.bottom - plot.box.top); // above is the room to fall through
    this.bins(plot, state, colours);
    zAxes(plot, top);
    this.masses(plot, state, colours, scale);
    this.air(plot, colours, floor);
    for (const drop of this.falling) this.one(plot, state, drop.noise, (now - drop.since) / FALL, floor, colours, scale);
    plot.box.top = floor;
  }

  bins(plot, state, colours) {
    const wide = (plot.x(1) - plot.x(0)) / BINS, { pen, box } = plot;
    pen.fillStyle = colours.soft;
    pen.globalAlpha = 0.55;
    for (let bin = 0; bin < BINS; bin += 1) {
      const y = Math.max(plot.y(this.draws.height(bin)), box.top);
      pen.fillRect(plot.x(0) + bin * wide + 0.5, y, wide - 1, box.bottom - y);
    }
    pen.globalAlpha = 1;
    plot.line(densityCurve(plot, state, 0, 1), colours.soft, 1.5, [5, 3]);
  }

  // The share of draws that are exactly 0 or 1, beside a line at what it has to become.
  masses(plot, state, colours, scale) {
    const { count, zeros, ones } = this.draws, place = massHeight(plot), wide = barWidth(plot), over = 0.6 * plot.letter;
    for (const [drawn, mass, left] of [[zeros, massAtZero(state), plot.x(0) - wide], [ones, massAtOne(state), plot.x(1)]]) {
      const share = count ? drawn / count : 0;
      plot.bar(left, place(share), wide, scaleColour(scale, share));
      plot.line([[left - over, place(mass)], [left + wide + over, place(mass)]], colours.text, 2.5);
    }
  }

  air(plot, colours, floor) {
    const middle = this.middle(plot, floor), { letter } = plot;
    plot.line([[plot.x(0), floor], [plot.x(1), floor]], colours.axis, 1);
    for (const end of [0, 1]) plot.say(String(end), plot.x(end), floor - 0.35 * letter, { align: "center", colour: colours.quiet });
    plot.say("noise u", plot.x(0.5), floor - 0.35 * letter, { align: "center", colour: colours.quiet });
    plot.line([[plot.x(Z_RANGE[0]), middle], [plot.x(Z_RANGE[1]), middle]], colours.axis, 1, [2, 4]);
    plot.say("stretched", plot.x(Z_RANGE[1]), middle - 0.35 * letter, { align: "right", colour: colours.quiet });
  }

  middle(plot, floor) { return floor + 0.62 * (plot.box.top - floor); }

  // Through the sigmoid and the stretch to its place, to the nearest of what a gate can be, and down.
  one(plot, state, noise, part, floor, colours, scale) {
    const u = sigmoid(noise), place = stretched(state, noise), z = within(place, 0, 1);
    const middle = this.middle(plot, floor), { pen } = plot, size = 0.26 * plot.letter;
    const [down, aside, fall] = [within(part / 0.5, 0, 1), within((part - 0.5) / 0.15, 0, 1), within((part - 0.65) / 0.35, 0, 1)];
    const wide = barWidth(plot), end = plot.x(z) + (z === 0 ? -wide / 2 : z === 1 ? wide / 2 : 0);
    const eased = down * down * (3 - 2 * down);
    const x = plot.x(u) + (plot.x(place) - plot.x(u)) * eased + (end - plot.x(place)) * aside;
    const y = floor + (middle - floor) * down + (plot.box.bottom - middle) * fall * fall;
    pen.fillStyle = scaleColour(scale, z);
    pen.strokeStyle = colours.text;
    pen.lineWidth = 1;
    pen.beginPath();
    if (z === 0 || z === 1) pen.rect(x - size, y - size, 2 * size, 2 * size);
    else pen.arc(x, y, size, 0, 7);
    pen.fill();
    pen.stroke();
  }

  said(state) {
    const { count, zeros, ones } = this.draws;
    if (!count) return "Draws are on their way.";
    const share = (drawn) => percentText(drawn / count);
    return `Of ${count.toLocaleString("en")} draws ${share(zeros)} are exactly 0 (expected: ${percentText(massAtZero(state))}) and ` +
      `${share(ones)} exactly 1 (expected: ${percentText(massAtOne(state))}).`;
  }
}
