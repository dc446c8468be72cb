// A perceptron in the browser: linear layers with ReLU between them, in double precision on the weights that are stored.
function unpacked(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return Float64Array.from(new Float32Array(bytes.buffer));
}

function readNetwork(layers) {
  return layers.map(({ rows, weight, bias }) => ({ rows, weight: unpacked(weight), bias: unpacked(bias) }));
}

function widthOf(layer) { return layer.weight.length / layer.rows; }

// The network whose unit i of hidden layer k is unit orders[k][i] of this one: rows of one layer, columns of the next.
function permuted(network, orders) {
  return network.map((layer, k) => {
    const width = widthOf(layer), rows = orders[k], columns = orders[k - 1];
    const weight = new Float64Array(layer.weight.length), bias = new Float64Array(layer.rows);
    for (let i = 0; i < layer.rows; i++) {
      const row = rows ? rows[i] : i;
      bias[i] = layer.bias[row];
      for (let j = 0; j < width; j++) weight[i * width + j] = layer.weight[row * width + (columns ? columns[j] : j)];
    }
    return { rows: layer.rows, weight, bias };
  });
}

function mean(one, other) { return one.map((value, i) => (value + other[i]) / 2); }

function average(first, second) {
  return first.map((layer, k) => ({ rows: layer.rows, weight: mean(layer.weight, second[k].weight), bias: mean(layer.bias, second[k].bias) }));
}

// The logits [points * classes] of points [points * 2].
function logitsOf(network, points) {
  const buffers = network.map((layer) => new Float64Array(layer.rows)), classes = network.at(-1).rows;
  const count = points.length / 2, logits = new Float64Array(count * classes), input = new Float64Array(2);
  for (let n = 0; n < count; n++) {
    input[0] = points[2 * n];
    input[1] = points[2 * n + 1];
    let values = input;
    for (let k = 0; k < network.length; k++) {
      const { weight, bias, rows } = network[k], width = values.length, next = buffers[k], last = k === network.length - 1;
      for (let i = 0, at = 0; i < rows; i++) {
        let sum = bias[i];
        for (let j = 0; j < width; j++, at++) sum += weight[at] * values[j];
        next[i] = last || sum > 0 ? sum : sum === sum ? 0 : sum;
      }
      values = next;
    }
    logits.set(values, n * classes);
  }
  return logits;
}

// Probabilities [points * classes] of logits, and the class of each point: the first of the largest.
function decided(logits, classes) {
  const chances = new Float64Array(logits.length), chosen = new Uint8Array(logits.length / classes);
  for (let n = 0; n < chosen.length; n++) {
    const at = n * classes;
    let best = 0, total = 0;
    for (let c = 1; c < classes; c++) if (logits[at + c] > logits[at + best]) best = c;
    for (let c = 0; c < classes; c++) total += chances[at + c] = Math.exp(logits[at + c] - logits[at + best]);
    for (let c = 0; c < classes; c++) chances[at + c] /= total;
    chosen[n] = best;
  }
  return { chances, chosen };
}

// {accuracy 0-1, loss: mean cross-entropy in nats, chosen} on samples with these labels.
function scoreOf(logits, labels, classes) {
  const { chances, chosen } = decided(logits, classes);
  let right = 0, loss = 0;
  labels.forEach((label, n) => {
    right += chosen[n] === label;
    const at = n * classes, top = logits[at + chosen[n]];
    loss += chances[at + label] > 1e-200 ? -Math.log(chances[at + label]) : top - logits[at + label];
  });
  return { accuracy: right / labels.length, loss: loss / labels.length, chosen };
}

function largestDifference(one, other) {
  return one.reduce((most, value, i) => Math.max(most, Math.abs(value - other[i])), 0);
}

function norms(layer) {
  const width = widthOf(layer);
  return Array.from({ length: layer.rows }, (_, i) => Math.hypot(...layer.weight.subarray(i * width, (i + 1) * width)));
}

// Random numbers 0 to 1 of a seed (mulberry32), so that a seed draws the same order everywhere.
function randomOf(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

function shuffled(values, random) {
  const mixed = [...values];
  for (let i = mixed.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [mixed[i], mixed[j]] = [mixed[j], mixed[i]];
  }
  return mixed;
}

// An order with the unit of one place put in another one, and with the units of two places swapped.
function moved(order, from, to) {
  const rest = order.filter((_, place) => place !== from);
  return rest.toSpliced(to, 0, order[from]);
}

function swapped(order, a, b) { return order.with(a, order[b]).with(b, order[a]); }
