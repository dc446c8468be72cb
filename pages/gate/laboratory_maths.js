// The hard-concrete distribution, as softmerge_core/gates.py has it (arXiv 1712.01312, equations 10-13). A state is
// {log_alpha, temperature, gamma, zeta}, with gamma <= 0 and zeta >= 1: at 0 and 1 themselves, which training does not
// allow, these are the limits. Nothing here draws or keeps anything.
function sigmoid(x) {
  const tail = Math.exp(-Math.abs(x));
  return (x >= 0 ? 1 : tail) / (1 + tail);
}

function logit(p) { return Math.log(p) - Math.log1p(-p); }

function within(value, low, high) { return Math.min(Math.max(value, low), high); }

// Where the gate lies without noise, before it is clipped: between gamma and zeta.
function unclippedGate(state) { return sigmoid(state.log_alpha) * (state.zeta - state.gamma) + state.gamma; }

// The gate without noise (eq. 13): exactly 0 or 1 once log alpha is far enough out.
function deterministicGate(state) { return within(unclippedGate(state), 0, 1); }

// The log alpha whose gate lies there; further out than the ends it is as large as doubles have it.
function logAlphaAt(place, { gamma, zeta }) {
  return logit(within((place - gamma) / (zeta - gamma), 1e-15, 1 - 1e-15));
}

// What noise makes of the gate, before it is clipped, and after (eq. 10 and 11); ``noise`` is the logit of u in (0, 1).
function stretched(state, noise) {
  return sigmoid((noise + state.log_alpha) / state.temperature) * (state.zeta - state.gamma) + state.gamma;
}

function sampledGate(state, noise) { return within(stretched(state, noise), 0, 1); }

// P(z != 0), the expected L0 norm of the gate (eq. 12); its derivative by log alpha; and the exact masses at the ends.
function expectedL0(state) { return sigmoid(state.log_alpha - shiftToZero(state)); }
function gradientOfL0(state) { return expectedL0(state) * massAtZero(state); }
function massAtZero(state) { return sigmoid(shiftToZero(state) - state.log_alpha); }
function massAtOne(state) {
  return sigmoid(state.log_alpha - state.temperature * Math.log((1 - state.gamma) / (state.zeta - 1)));
}
function shiftToZero(state) { return state.temperature * Math.log(-state.gamma / state.zeta); }

// The true L0 norm of the gate without noise, 0 or 1, and the log alpha at which it leaps.
function trueL0(state) { return deterministicGate(state) > 0 ? 1 : 0; }
function leapOfL0(state) { return Math.log(-state.gamma / state.zeta); }

// The density of the stretched variable at a place, per unit of z; 0 outside of (gamma, zeta).
function density(state, place) {
  const s = (place - state.gamma) / (state.zeta - state.gamma);
  if (!(s > 0 && s < 1)) return 0;
  const y = state.temperature * logit(s) - state.log_alpha;
  return (state.temperature * sigmoid(y) * sigmoid(-y)) / (s * (1 - s) * (state.zeta - state.gamma));
}

// By how much one plain gradient step against the penalty alone lowers log alpha.
function stepAgainstPenalty(state, penalty, rate) { return rate * penalty * gradientOfL0(state); }

// Uniform noise in (0, 1) from a seed (mulberry32): the same seed gives the same draws.
function noiseFrom(seed) {
  let at = seed >>> 0;
  return () => {
    at = (at + 0x6d2b79f5) >>> 0;
    let t = Math.imul(at ^ (at >>> 15), 1 | at);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (((t ^ (t >>> 14)) >>> 0) + 0.5) / 4294967296;
  };
}

// Draws by their noise, which stays what it is while the gate changes; counted as exactly 0, exactly 1, and in bins of
// equal width between.
class Draws {
  constructor(bins, most) {
    this.noise = new Float64Array(most);
    this.inside = new Float64Array(bins);
    this.clear();
  }

  get full() { return this.count === this.noise.length; }

  clear() { this.count = this.zeros = this.ones = 0; this.inside.fill(0); }

  add(state, noise) {
    if (this.full) return;
    this.noise[this.count] = noise;
    this.count += 1;
    this.sort(state, noise);
  }

  // The same noise through another gate.
  again(state) {
    this.zeros = this.ones = 0;
    this.inside.fill(0);
    for (let i = 0; i < this.count; i += 1) this.sort(state, this.noise[i]);
  }

  // Where the stretch does not reach beyond 0 or 1, a draw is there by the rounding of doubles alone.
  sort(state, noise) {
    const z = sampledGate(state, noise);
    if (z === 0 && state.gamma < 0) this.zeros += 1;
    else if (z === 1 && state.zeta > 1) this.ones += 1;
    else this.inside[Math.min(Math.floor(z * this.inside.length), this.inside.length - 1)] += 1;
  }

  // Of all draws, per unit of z, as the density has it.
  height(bin) { return this.count ? (this.inside[bin] * this.inside.length) / this.count : 0; }
}

// Numbers as sentences have them.
function percentText(p) {
  if (p > 0 && p < 0.0005) return "less than 0.1\u00a0%";
  if (p < 1 && p > 0.9995) return "more than 99.9\u00a0%";
  return `${(100 * p).toFixed(p === 0 || p === 1 ? 0 : 1)}\u00a0%`;
}

function numberText(value, digits = 2) {
  const text = value.toFixed(digits);
  return (Number(text) === 0 ? text.replace("-", "") : text).replace("-", "\u2212");
}

// A small amount with two digits that count, as it would be typed.
function smallText(value) {
  if (!(value >= 1e-12)) return "0";
  return value.toFixed(Math.max(2, 1 - Math.floor(Math.log10(value))));
}
