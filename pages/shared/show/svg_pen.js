// What a canvas's pen can do, as far as our pictures ask for it, written down as SVG: one drawing, two kinds of files.
class SvgPen {
  constructor(width, height) {
    this.canvas = { width, height };
    this.parts = [];
    this.stack = [];
    this.turned = "";
    this.path = "";
    Object.assign(this, { fillStyle: "#000", strokeStyle: "#000", lineWidth: 1, globalAlpha: 1, dash: [], lineJoin: "miter" });
    Object.assign(this, { font: "10px sans-serif", textAlign: "start", textBaseline: "alphabetic" });
  }

  // The letters and lengths are px of the picture already.
  setTransform() { this.turned = ""; }
  clearRect() {}
  save() { this.stack.push(this.turned); }
  restore() { this.turned = this.stack.pop(); }
  translate(x, y) { this.turned += `translate(${x} ${y})`; }
  rotate(angle) { this.turned += `rotate(${(180 * angle) / Math.PI})`; }
  setLineDash(dash) { this.dash = dash; }

  beginPath() { this.path = ""; }
  moveTo(x, y) { this.path += `M${short(x)} ${short(y)}`; }
  lineTo(x, y) { this.path += `${this.path ? "L" : "M"}${short(x)} ${short(y)}`; }
  closePath() { this.path += "Z"; }
  rect(x, y, width, height) { this.path += `M${short(x)} ${short(y)}h${short(width)}v${short(height)}h${short(-width)}Z`; }
  // Only whole circles are drawn.
  arc(x, y, r) { this.path += `M${short(x + r)} ${short(y)}a${short(r)} ${short(r)} 0 1 1 ${short(-2 * r)} 0a${short(r)} ${short(r)} 0 1 1 ${short(2 * r)} 0Z`; }

  stroke() { this.add("path", { d: this.path, fill: "none", ...this.line() }); }
  fill() { this.add("path", { d: this.path, ...this.ink() }); }
  fillRect(x, y, width, height) { this.add("rect", { x: short(x), y: short(y), width: short(width), height: short(height), ...this.ink() }); }
  strokeRect(x, y, width, height) { this.add("rect", { x: short(x), y: short(y), width: short(width), height: short(height), fill: "none", ...this.line() }); }
  fillText(text, x, y) { this.write(text, x, y, this.ink()); }
  strokeText(text, x, y) { this.write(text, x, y, { fill: "none", ...this.line() }); }
  drawImage(image, x, y, width, height) { this.add("image", { href: image.toDataURL(), x, y, width, height }); }

  ink() { return this.globalAlpha < 1 ? { fill: this.fillStyle, "fill-opacity": this.globalAlpha } : { fill: this.fillStyle }; }

  line() {
    const dash = this.dash.length ? { "stroke-dasharray": this.dash.join(" ") } : {};
    return { stroke: this.strokeStyle, "stroke-width": short(this.lineWidth), "stroke-linejoin": this.lineJoin, ...dash };
  }

  write(text, x, y, how) {
    const [, weight, size, family] = this.font.match(/^(?:(\d+) )?([\d.]+)px (.*)$/);
    const down = { top: 0.8, middle: 0.35 }[this.textBaseline] ?? 0, anchor = { center: "middle", right: "end" }[this.textAlign] ?? "start";
    const type = { "font-family": family, "font-size": `${size}px`, ...(weight ? { "font-weight": weight } : {}), "text-anchor": anchor };
    this.add("text", { x: short(x), y: short(y + down * size), ...type, ...how }, text);
  }

  add(tag, attributes, text = "") {
    const written = Object.entries({ ...attributes, ...(this.turned ? { transform: this.turned } : {}) });
    this.parts.push(`<${tag} ${written.map(([name, value]) => `${name}="${escaped(value)}"`).join(" ")}>${escaped(text)}</${tag}>`);
  }

  // The whole picture, on white.
  svg(width, height) {
    const size = `width="${inMm(width)}" height="${inMm(height)}" viewBox="0 0 ${width} ${height}"`;
    return `<svg xmlns="http://www.w3.org/2000/svg" ${size}><rect width="100%" height="100%" fill="#ffffff"/>${this.parts.join("")}</svg>`;
  }
}

function short(value) { return Number(value.toFixed(2)); }

function escaped(value) {
  return String(value).replace(/[&<>"]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[sign]);
}
