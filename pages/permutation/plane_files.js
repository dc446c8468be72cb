// The pictures of the planes as files: drawn for print with axes and legend, and the values behind them.
const PLANE = { left: 60, top: 34, side: 560, letter: 13, font: "Arial, Helvetica, sans-serif" }; // px of print
const TITLES = { first: "The first network", second: "The second network", mean: "The average" };

function planeCorner(plane, hand) {
  return new PictureCorner(plane.drawing, {
    title: TITLES[plane.name],
    file: () => `permutation-${plane.name}-${hand.data.slug}`,
    height: PLANE.top + PLANE.side + 72,
    paint: (pen) => planeInPrint(pen, plane, hand),
    rows: () => planeValues(plane.shown, hand.points),
  });
}

function planeInPrint(pen, plane, { data }) {
  const { shown } = plane;
  const palette = { ...data.palettes.light, background: "#ffffff" }, { left, top, side } = PLANE;
  pen.save();
  pen.translate(left, top);
  plane.drawWith(pen, side, { ...shown, palette });
  pen.restore();
  Object.assign(pen, { strokeStyle: palette.axis, lineWidth: 1 });
  pen.strokeRect(left, top, side, side);
  planeWords(pen, palette, plane, shown);
}

function planeWords(pen, palette, plane, { samples, classes }) {
  const { left, top, side, letter, font } = PLANE, bottom = top + side, [x0, x1, y0, y1] = samples.extent;
  const say = (text, x, y, textAlign, colour = palette.quiet, weight = "") => {
    Object.assign(pen, { font: `${weight}${letter}px ${font}`, textAlign, textBaseline: "middle", fillStyle: colour });
    pen.fillText(text, x, y);
  };
  const end = (value) => value.toFixed(1).replace("-", "\u2212");
  say(`${plane.title.textContent}: ${plane.numbers.textContent}`, left, top / 2, "left", palette.text, "600 ");
  for (const [text, x, align] of [[end(x0), left, "left"], ["feature 1 (standard deviations)", left + side / 2, "center"], [end(x1), left + side, "right"]])
    say(text, x, bottom + 16, align);
  for (const [text, y] of [[end(y0), bottom - 8], [end(y1), top + 8]]) say(text, left - 8, y, "right");
  pen.save();
  pen.translate(14, top + side / 2);
  pen.rotate(-Math.PI / 2);
  say("feature 2 (standard deviations)", 0, 0, "center");
  pen.restore();
  for (let label = 0; label < classes; label++) {
    pen.beginPath();
    shape(pen, label, left + 8 + 90 * label, bottom + 48, 5);
    pen.fillStyle = palette.classes[label];
    pen.fill();
    say(`class ${label}`, left + 20 + 90 * label, bottom + 48, "left");
  }
  pen.beginPath();
  shape(pen, 0, left + 8 + 90 * classes, bottom + 48, 6);
  Object.assign(pen, { strokeStyle: palette.text, lineWidth: 1.5 });
  pen.stroke();
  say("wrong", left + 20 + 90 * classes, bottom + 48, "left");
}

// Heads, then the test samples with the class that the network gives them, then the grid of the picture.
function planeValues({ chances, logits, samples, classes }, points) {
  const { chances: own, chosen } = decided(logits.subarray(SIDE * SIDE * classes), classes);
  const row = (series, n, at, of, more) => [series, points[2 * at], points[2 * at + 1], ...more, ...of.subarray(n * classes, (n + 1) * classes)];
  return [
    ["Series", "Feature 1 (standard deviations)", "Feature 2 (standard deviations)", "Class", "Class given",
      ...Array.from({ length: classes }, (_, label) => `Probability of class ${label}`)],
    ...Array.from(samples.labels, (label, n) => row("Test sample", n, SIDE * SIDE + n, own, [label, chosen[n]])),
    ...Array.from({ length: SIDE * SIDE }, (_, n) => row("Grid", n, n, chances, [null, null])),
  ];
}
