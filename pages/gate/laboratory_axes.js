// A canvas with axes: what all pictures of the laboratory share. Lengths are CSS px of this canvas.
const TEXT = 0.8; // of the page's own size of type

function isDark(hex) {
  const [red, green, blue] = [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
  return 0.299 * red + 0.587 * green + 0.114 * blue < 128;
}

// cividis at a probability, from the colours at equal distances that the page was given.
function scaleColour(colours, p) {
  const place = within(p, 0, 1) * (colours.length - 1), first = Math.min(Math.floor(place), colours.length - 2);
  const mix = [1, 3, 5].map((i) => {
    const [a, b] = [colours[first], colours[first + 1]].map((hex) => parseInt(hex.slice(i, i + 2), 16));
    return Math.round(a + (b - a) * (place - first));
  });
  return `rgb(${mix.join(",")})`;
}

class Plot {
  // ``pen``: where there is no canvas, what a picture is drawn with for a file.
  constructor(canvas, pen = canvas.getContext("2d")) {
    this.canvas = canvas;
    this.pen = pen;
  }

  // The room as it is now; the width of the margins grows with the type.
  measure(letter, font) {
    const dense = window.devicePixelRatio || 1;
    this.fit(this.canvas.clientWidth, this.canvas.clientHeight, letter * TEXT, font);
    if (this.dense !== dense || this.canvas.width !== Math.round(this.width * dense) || this.canvas.height !== Math.round(this.height * dense)) {
      this.dense = dense;
      this.canvas.width = Math.round(this.width * dense);
      this.canvas.height = Math.round(this.height * dense);
    }
  }

  // ``letter``: the size of type, in px.
  fit(width, height, letter, font) {
    Object.assign(this, { width, height, letter, font });
    const side = 3.4 * this.letter;
    this.box = { left: side, right: this.width - side, top: 1.9 * this.letter, bottom: this.height - 3.2 * this.letter };
  }

  // Begin a drawing: x and y turn what is drawn into px.
  begin(colours, [left, right], [low, high]) {
    this.colours = colours;
    this.pen.setTransform(this.dense, 0, 0, this.dense, 0, 0);
    this.pen.clearRect(0, 0, this.width, this.height);
    this.pen.font = `${this.letter}px ${this.font}`;
    this.pen.lineJoin = "round";
    const { box } = this;
    this.x = (value) => box.left + ((value - left) / (right - left)) * (box.right - box.left);
    this.y = (value) => box.bottom - ((value - low) / (high - low)) * (box.bottom - box.top);
    this.valueAt = (px) => left + ((px - box.left) / (box.right - box.left)) * (right - left);
  }

  line(points, colour, width = 1.5, dash = []) {
    const { pen } = this;
    pen.beginPath();
    for (const [x, y] of points) pen.lineTo(x, y);
    pen.strokeStyle = colour;
    pen.lineWidth = width;
    pen.setLineDash(dash);
    pen.stroke();
    pen.setLineDash([]);
  }

  // The room between a line and the bottom of the box.
  fill(points, colour, alpha) {
    if (points.length < 2) return;
    const { pen, box } = this;
    pen.beginPath();
    pen.moveTo(points[0][0], box.bottom);
    for (const [x, y] of points) pen.lineTo(x, y);
    pen.lineTo(points.at(-1)[0], box.bottom);
    pen.globalAlpha = alpha;
    pen.fillStyle = colour;
    pen.fill();
    pen.globalAlpha = 1;
  }

  bar(left, top, width, colour, edge = this.colours.text) {
    const { pen, box } = this;
    pen.fillStyle = colour;
    pen.fillRect(left, top, width, box.bottom - top);
    pen.strokeStyle = edge;
    pen.lineWidth = 1.5;
    pen.strokeRect(left, top, width, box.bottom - top);
  }

  // Words with a rim of the background, so that they are read over lines.
  say(text, x, y, { align = "left", colour = this.colours.text, base = "alphabetic", bold = false } = {}) {
    const { pen } = this;
    pen.textAlign = align;
    pen.textBaseline = base;
    if (bold) pen.font = `600 ${this.letter}px ${this.font}`;
    pen.strokeStyle = this.colours.background;
    pen.lineWidth = 4;
    pen.strokeText(text, x, y);
    pen.fillStyle = colour;
    pen.fillText(text, x, y);
    if (bold) pen.font = `${this.letter}px ${this.font}`;
  }

  across(ticks, title, write = String) {
    const { pen, box, letter, colours } = this;
    this.line([[box.left, box.bottom], [box.right, box.bottom]], colours.axis, 1);
    pen.fillStyle = colours.quiet;
    pen.textAlign = "center";
    pen.textBaseline = "top";
    for (const tick of ticks) {
      this.line([[this.x(tick), box.bottom], [this.x(tick), box.bottom + 4]], colours.axis, 1);
      pen.fillText(write(tick), this.x(tick), box.bottom + 6);
    }
    pen.fillText(title, (box.left + box.right) / 2, box.bottom + 7 + 1.25 * letter);
  }

  // An axis at the left or, for another quantity, at the right; ``place`` is where its ticks are.
  upright(ticks, title, { right = false, write = String, place = this.y, middle } = {}) {
    const { pen, box, letter, colours } = this;
    const x = right ? box.right : box.left, out = right ? 1 : -1, top = place(ticks.at(-1));
    this.line([[x, box.bottom], [x, top]], colours.axis, 1);
    pen.fillStyle = colours.quiet;
    pen.textAlign = right ? "left" : "right";
    pen.textBaseline = "middle";
    for (const tick of ticks) {
      this.line([[x, place(tick)], [x + 4 * out, place(tick)]], colours.axis, 1);
      pen.fillText(write(tick), x + 6 * out, place(tick));
    }
    pen.save();
    pen.translate(right ? this.width - 0.65 * letter : 0.65 * letter, middle ?? (box.bottom + top) / 2);
    pen.rotate((out * Math.PI) / 2);
    pen.textAlign = "center";
    pen.fillText(title, 0, 0);
    pen.restore();
  }
}
