// Three pictures of functions on the plane: the probabilities of the classes as colours, with the test samples.
const SIDE = 60; // points of the grid along each side
const STRENGTH = 0.45; // of the colours of classes over the background
const SHAPES = ["●", "■", "◆", "▲", "✚"];

function rgb(hex) { return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16)); }

function isDark(element) {
  const colour = getComputedStyle(element).getPropertyValue("--st-background-color").trim();
  const hex = colour.length === 4 ? colour.replace(/[^#]/g, "$&$&") : colour;
  const [red, green, blue] = rgb(hex);
  return 0.299 * red + 0.587 * green + 0.114 * blue < 128;
}

function calm() { return matchMedia("(prefers-reduced-motion: reduce)").matches; }

function gridPoints([x0, x1, y0, y1]) {
  const points = new Float64Array(2 * SIDE * SIDE);
  for (let row = 0, at = 0; row < SIDE; row++)
    for (let column = 0; column < SIDE; column++) {
      points[at++] = x0 + ((column + 0.5) / SIDE) * (x1 - x0);
      points[at++] = y1 - ((row + 0.5) / SIDE) * (y1 - y0);
    }
  return points;
}

class Plane {
  constructor(name) {
    this.name = name;
    this.node = made("figure", `sm-plane sm-plane-${name}`);
    this.canvas = document.createElement("canvas");
    this.canvas.setAttribute("role", "img");
    this.title = made("b", "");
    this.numbers = made("span", "sm-numbers");
    this.note = made("span", "sm-note");
    const caption = document.createElement("figcaption");
    caption.append(this.title, this.numbers, this.note);
    this.drawing = made("div", "sm-drawing");
    this.drawing.append(this.canvas);
    this.node.append(this.drawing, caption);
    this.small = Object.assign(document.createElement("canvas"), { width: SIDE, height: SIDE });
  }

  say(title, score, note) {
    this.title.textContent = title;
    this.numbers.textContent = `${percentText(score.accuracy)} right, ${lossText(score.loss)}`;
    this.note.textContent = note;
    Object.assign(this.node.dataset, { accuracy: score.accuracy, loss: score.loss });
    this.canvas.setAttribute("aria-label", `${title}: what it says of each point of the plane, with the test samples; ${this.numbers.textContent}`);
  }

  draw(shown) {
    const side = Math.max(1, Math.round(this.canvas.clientWidth * devicePixelRatio));
    if (this.canvas.width !== side) Object.assign(this.canvas, { width: side, height: side });
    this.shown = shown;
    this.drawWith(this.canvas.getContext("2d"), side, shown);
    this.corner?.redrawn();
  }

  // In a square of that many units of the pen, from its corner at the top left.
  drawWith(pen, side, { chances, score, samples, palette, classes }) {
    this.paint(chances, palette, classes);
    pen.imageSmoothingQuality = "high";
    pen.drawImage(this.small, 0, 0, side, side);
    const place = placing(samples.extent, side);
    for (let label = 0; label < classes; label++) this.mark(pen, place, samples, label, palette, side);
    this.wrong(pen, place, samples, score.chosen, palette, side);
  }

  paint(chances, palette, classes) {
    const hues = palette.classes.slice(0, classes).map(rgb), back = rgb(palette.background);
    const image = new ImageData(SIDE, SIDE), { data } = image;
    for (let n = 0; n < SIDE * SIDE; n++) {
      for (let part = 0; part < 3; part++) {
        let mixed = 0;
        for (let c = 0; c < classes; c++) mixed += chances[n * classes + c] * hues[c][part];
        data[4 * n + part] = (1 - STRENGTH) * back[part] + STRENGTH * mixed;
      }
      data[4 * n + 3] = 255;
    }
    this.small.getContext("2d").putImageData(image, 0, 0);
  }

  mark(pen, place, { inputs, labels }, label, palette, side) {
    const size = Math.max(1.5, 0.009 * side);
    pen.beginPath();
    labels.forEach((own, n) => { if (own === label) shape(pen, label, ...place(inputs, n), size); });
    pen.fillStyle = palette.classes[label];
    pen.fill();
  }

  wrong(pen, place, { inputs, labels }, chosen, palette, side) {
    const size = Math.max(3, 0.017 * side);
    pen.beginPath();
    labels.forEach((label, n) => { if (chosen[n] !== label) shape(pen, 0, ...place(inputs, n), size); });
    pen.strokeStyle = palette.text;
    pen.lineWidth = Math.max(1, 0.004 * side);
    pen.stroke();
  }
}

function placing([x0, x1, y0, y1], side) {
  return (inputs, n) => [(inputs[2 * n] - x0) / (x1 - x0) * side, (y1 - inputs[2 * n + 1]) / (y1 - y0) * side];
}

function shape(pen, label, x, y, size) {
  const turn = (points) => points.forEach(([dx, dy], i) => pen[i ? "lineTo" : "moveTo"](x + dx * size, y + dy * size));
  if (label === 0) { pen.moveTo(x + size, y); pen.arc(x, y, size, 0, 2 * Math.PI); }
  else if (label === 1) pen.rect(x - size, y - size, 2 * size, 2 * size);
  else if (label === 2) turn([[0, -1.4], [1.4, 0], [0, 1.4], [-1.4, 0]]);
  else turn([[0, -1.3], [1.3, 1], [-1.3, 1]]);
}
