// The three pictures of the laboratory as files: drawn for print with their legends, and the values behind them.
const FILES = { gate: "gate-density", rain: "gate-draws", l0: "gate-expected-l0" };
const PRINT_HEIGHT = 300, PRINT_LETTER = 13, PRINT_ROW = 19; // px; a row of the legend
const PRINT_FONT = "Arial, Helvetica, sans-serif"; // as the other pictures of the app have it
const FINE_Z = 0.01, FINE_ODDS = 0.1; // between two values of a curve

function heightInPrint(section) { return PRINT_HEIGHT + PRINT_ROW * section.querySelectorAll(".sm-legend li").length + 8; }

function drawInPrint(name, pen, dense, section, { state, rain, data }) {
  const plot = Object.assign(new Plot(null, pen), { dense });
  const look = { colours: { ...data.colours.light, background: "#ffffff" }, scale: data.scale };
  plot.fit(PRINT.px, PRINT_HEIGHT, PRINT_LETTER, PRINT_FONT);
  if (name === "gate") drawGate(plot, state, look);
  else if (name === "l0") drawL0(plot, state, look);
  else rain.draw(plot, state, look, topOfDensity(state), performance.now());
  const places = { gate: gateHandles, l0: (shown, at) => ({ log_alpha: l0Handle(shown, at) }), rain: () => ({}) }[name](plot, state);
  for (const [number, [x, y]] of Object.entries(places)) letterMark(plot, { log_alpha: "α", temperature: "β", gamma: "γ", zeta: "ζ" }[number], x, y);
  [...section.querySelectorAll(".sm-legend li")].forEach((entry, place) => legendRow(plot, entry, PRINT_HEIGHT + PRINT_ROW * (place + 0.5), look));
}

function letterMark(plot, letter, x, y) {
  const { pen, colours } = plot;
  pen.beginPath();
  pen.moveTo(x + 9, y);
  pen.arc(x, y, 9, 0, 2 * Math.PI);
  pen.fillStyle = colours.text;
  pen.fill();
  Object.assign(pen, { textAlign: "center", textBaseline: "middle", fillStyle: colours.background });
  pen.fillText(letter, x, y);
}

// An entry of the page's legend: its mark, as the style sheet draws it, and its words.
function legendRow(plot, entry, y, { colours, scale }) {
  const { pen, box } = plot, mark = entry.querySelector("i"), kind = mark.className.replace("sm-", "");
  const colour = colours[mark.dataset.ink], [left, wide] = [box.left, 40];
  const middle = left + wide / 2;
  if (kind === "line" || kind === "dash") plot.line([[left, y], [left + wide, y]], colour, 2.5, kind === "dash" ? [6, 4] : []);
  else if (kind === "scale") scale.forEach((each, i) => patch(pen, each, left + (wide * i) / scale.length, y - 5, wide / scale.length, 10));
  else if (kind === "block") patch(pen, colour, middle - 6, y - 6, 12, 12, 0.55);
  else if (kind === "bar") frame(pen, colour, () => pen.rect(middle - 5, y - 6, 10, 12));
  else frame(pen, colour, () => { pen.moveTo(middle + 5, y); pen.arc(middle, y, 5, 0, 2 * Math.PI); });
  Object.assign(pen, { textAlign: "left", textBaseline: "middle", fillStyle: colours.quiet });
  pen.fillText(entry.textContent, left + wide + 8, y);
}

function patch(pen, colour, x, y, width, height, alpha = 1) {
  Object.assign(pen, { fillStyle: colour, globalAlpha: alpha });
  pen.fillRect(x, y, width, height);
  pen.globalAlpha = 1;
}

function frame(pen, colour, trace) {
  pen.beginPath();
  trace();
  Object.assign(pen, { strokeStyle: colour, lineWidth: 1.5 });
  pen.stroke();
}

// Numbers from one end to the other at equal distances, without what adding up would leave over.
function steps([from, to], by) { return Array.from({ length: Math.round((to - from) / by) + 1 }, (_, i) => Number((from + i * by).toFixed(10))); }

function settings(state, width) {
  const names = { log_alpha: "Log alpha", temperature: "Temperature", gamma: "Lower end of the stretch", zeta: "Upper end of the stretch" };
  return Object.entries(names).map(([name, title]) => [`Set: ${title}`, state[name], ...Array(width - 2).fill(null)]);
}

// The values behind each picture, the first row being their heads.
const VALUES = {
  gate: (state) => [
    ["Series", "z, the value of the gate", "Density, per unit of z", "Probability"],
    ...settings(state, 4),
    ["Exactly 0", 0, null, massAtZero(state)],
    ["Exactly 1", 1, null, massAtOne(state)],
    ["Without noise", deterministicGate(state), null, null],
    ...steps(Z_RANGE, FINE_Z).filter((z) => Number.isFinite(density(state, z)))
      .map((z) => [z < 0 || z > 1 ? "Stretched, before it is clipped" : "Density", z, density(state, z), null]),
  ],
  rain: (state, draws) => [
    ["Series", "From z", "To z", "Draws", "Share of all draws", "Exact probability", "Draws, per unit of z"],
    ...settings(state, 7),
    ["Exactly 0", 0, 0, draws.zeros, draws.count ? draws.zeros / draws.count : null, massAtZero(state), null],
    ["Exactly 1", 1, 1, draws.ones, draws.count ? draws.ones / draws.count : null, massAtOne(state), null],
    ...[...draws.inside].map((found, bin) => ["Bin", bin / BINS, (bin + 1) / BINS, found, draws.count ? found / draws.count : null, null, draws.height(bin)]),
  ],
  l0: (state) => [
    ["Series", "Log alpha, a log-odds without unit", "L0 norm of the gate, open gates", "Gradient, per unit of log alpha"],
    ...settings(state, 4),
    ["This gate: expected L0", state.log_alpha, expectedL0(state), gradientOfL0(state)],
    ["This gate: true L0", state.log_alpha, trueL0(state), 0],
    ...["Expected L0", "True L0"].flatMap((series) => steps(ODDS_RANGE, FINE_ODDS).map((log_alpha) => {
      const at = { ...state, log_alpha };
      return series === "True L0" ? [series, log_alpha, trueL0(at), 0] : [series, log_alpha, expectedL0(at), gradientOfL0(at)];
    })),
  ],
};
