// Two of the three pictures: the distribution of the gate, and what the penalty sees of it.
const Z_RANGE = [-0.45, 1.45], ODDS_RANGE = [-12, 12]; // axes that stay where they are under a drag
const TOPS = [4, 8, 16, 32]; // of the axis of densities
const Z_TICKS = [0, 0.25, 0.5, 0.75, 1], MASS_TICKS = [0, 0.5, 1];
const FINE = 2; // px between two points of a curve
const RADIUS = 12; // px of a handle
const LOWEST = 0.25, SPAN = 0.55; // of the picture's height: where the handle of the temperature is
const REACH = 3; // units of log alpha that the tangent reaches to each side
const [COLDEST, HOTTEST] = [0.05, 3]; // temperatures at the ends of the line on which their handle lies

// The highest density well within [0, 1] decides how high the axis is; where it grows without bound it ends at the top.
function topOfDensity(state) {
  let most = 0;
  for (let i = 0; i <= 60; i += 1) most = Math.max(most, density(state, 0.02 + (0.96 * i) / 60));
  return TOPS.find((top) => top >= most) ?? TOPS.at(-1);
}

// The density between two places as points in px, cut at the top of the box.
function densityCurve(plot, state, from, to) {
  const left = plot.x(Math.max(from, state.gamma + 1e-6)), right = plot.x(Math.min(to, state.zeta - 1e-6));
  const count = Math.ceil((right - left) / FINE), points = [];
  for (let i = 0; i <= count && right > left; i += 1) {
    const x = left + ((right - left) * i) / count;
    points.push([x, Math.max(plot.y(density(state, plot.valueAt(x))), plot.box.top)]);
  }
  return points;
}

// Where a probability lies on the scale of the two bars, which is not that of the density.
function massHeight({ box }) { return (p) => box.bottom - p * (box.bottom - box.top); }

function barWidth(plot) { return Math.max(9, 0.9 * plot.letter); }

// The axes that the distribution and the draws have in common.
function zAxes(plot, top) {
  const { box } = plot, place = massHeight(plot);
  const title = plot.width > 480 ? "z, the value of the gate" : "z, the gate";
  plot.across(Z_TICKS, title);
  const written = plot.height > 200 ? ["density, per unit of z", "probability of z = 0, z = 1"] : ["density", "probability"];
  plot.upright([0, top / 2, top], written[0], { middle: (box.bottom + box.top) / 2 });
  plot.upright(MASS_TICKS, written[1], { right: true, place, write: (tick) => numberText(tick, tick % 1 ? 1 : 0) });
}

function drawGate(plot, state, look) {
  const top = topOfDensity(state), { colours } = look;
  plot.begin(colours, Z_RANGE, [0, top]);
  for (const [from, to] of [[-Infinity, 0], [1, Infinity]]) {
    const points = densityCurve(plot, state, from, to);
    plot.fill(points, colours.quiet, 0.14);
    plot.line(points, colours.quiet, 1.25, [3, 3]);
  }
  const inside = densityCurve(plot, state, 0, 1);
  plot.fill(inside, colours.soft, 0.25);
  plot.line(inside, colours.soft, 2);
  zAxes(plot, top);
  drawEnds(plot, state, colours);
  drawMasses(plot, state, look);
  drawPlace(plot, state, colours);
  return top;
}

function drawEnds(plot, state, colours) {
  const { box } = plot;
  for (const end of [state.gamma, state.zeta]) plot.line([[plot.x(end), box.top], [plot.x(end), box.bottom]], colours.quiet, 1, [2, 3]);
}

function drawMasses(plot, state, { colours, scale }) {
  const place = massHeight(plot), wide = barWidth(plot), gap = 0.35 * plot.letter;
  const ends = [[massAtZero(state), plot.x(0) - wide, "right", -gap, "0"], [massAtOne(state), plot.x(1), "left", wide + gap, "1"]];
  for (const [mass, left, align, off, value] of ends) {
    plot.bar(left, place(mass), wide, scaleColour(scale, mass));
    const y = within(place(mass) + plot.letter, plot.box.top + 3.4 * plot.letter, plot.box.bottom - 2 * plot.letter);
    plot.say(`P(z\u2009=\u2009${value})`, left + off, y, { align });
    plot.say(percentText(mass).replace("less than ", "<\u2009").replace("more than ", ">\u2009"), left + off, y + 1.25 * plot.letter, { align, bold: true });
  }
}

// Where the gate lies before it is clipped, as a line on which the handles are, and what it is without noise.
function drawPlace(plot, state, colours) {
  const { box, letter, pen } = plot, x = plot.x(unclippedGate(state)), gate = deterministicGate(state), at = plot.x(gate);
  plot.line([[x, box.top], [x, box.bottom]], colours.text, 1.25, [6, 4]);
  pen.beginPath();
  for (const [dx, dy] of [[0, -0.75], [0.6, 0], [0, 0.75], [-0.6, 0]]) pen.lineTo(at + dx * letter, box.top - 0.45 * letter + dy * letter);
  pen.closePath();
  pen.fillStyle = colours.text;
  pen.fill();
  const right = at < (box.left + box.right) / 2, exact = gate === 0 || gate === 1;
  const text = `without noise z\u2009=\u2009${exact ? `${gate} exactly` : numberText(gate)}`;
  plot.say(text, at + (right ? 1 : -1) * letter, box.top - 0.1 * letter, { align: right ? "left" : "right", bold: true });
}

// Where the handles of the distribution lie, in px of its canvas.
function gateHandles(plot, state) {
  const { box } = plot, x = plot.x(unclippedGate(state));
  const warm = Math.log(state.temperature / COLDEST) / Math.log(HOTTEST / COLDEST);
  return {
    log_alpha: [x, box.bottom - RADIUS], // it stands on the axis, and covers no number of it
    temperature: [x, box.bottom - (LOWEST + SPAN * within(warm, 0, 1)) * (box.bottom - box.top)],
    gamma: [plot.x(state.gamma), box.bottom - 0.9 * (box.bottom - box.top)],
    zeta: [plot.x(state.zeta), box.bottom - 0.9 * (box.bottom - box.top)],
  };
}

function temperatureAt(plot, y) {
  const part = ((plot.box.bottom - y) / (plot.box.bottom - plot.box.top) - LOWEST) / SPAN;
  return COLDEST * (HOTTEST / COLDEST) ** within(part, 0, 1);
}

// The log alpha of a drag to this place; beyond the ends of the stretch, where no place is left, it goes on with the px.
function logAlphaOfDrag(plot, x, state) {
  const pad = 0.001 * (state.zeta - state.gamma), place = plot.valueAt(x);
  const held = within(place, state.gamma + pad, state.zeta - pad);
  return logAlphaAt(held, state) + (plot.x(place) - plot.x(held)) / 12;
}

function drawL0(plot, state, { colours }) {
  plot.begin(colours, ODDS_RANGE, [0, 1]);
  const { box, letter } = plot, [low, high] = ODDS_RANGE, { log_alpha } = state;
  plot.across([-10, -5, 0, 5, 10], "log α, a log-odds without unit", (tick) => numberText(tick, 0));
  plot.upright(MASS_TICKS, "L0 norm of the gate, open gates", { write: (tick) => numberText(tick, tick % 1 ? 1 : 0) });
  const leap = within(leapOfL0(state), low, high);
  plot.line([[box.left, plot.y(0)], [plot.x(leap), plot.y(0)], [plot.x(leap), plot.y(1)], [box.right, plot.y(1)]], colours.total, 2, [7, 4]);
  const curve = Array.from({ length: 121 }, (_, i) => low + ((high - low) * i) / 120);
  plot.line(curve.map((at) => [plot.x(at), plot.y(expectedL0({ ...state, log_alpha: at }))]), colours.penalty, 2.5);
  const open = expectedL0(state), slope = gradientOfL0(state);
  const ends = [Math.max(-REACH, -open / slope), Math.min(REACH, (1.08 - open) / slope)] // it stays in the picture
    .map((reach) => [plot.x(log_alpha + reach), plot.y(open + slope * reach)]);
  plot.line([[plot.x(log_alpha), box.bottom], [plot.x(log_alpha), plot.y(1)]], colours.quiet, 1, [2, 3]);
  plot.line(ends, colours.text, 2);
  const side = 0.75 * letter, y = plot.y(trueL0(state));
  plot.pen.fillStyle = colours.total;
  plot.pen.fillRect(plot.x(log_alpha) - side / 2, y - side / 2, side, side);
}

function l0Handle(plot, state) { return [plot.x(within(state.log_alpha, ...ODDS_RANGE)), plot.y(expectedL0(state))]; }
