// The corner of a picture that is drawn on a canvas of our own, as the charts of the app have it: PNG, SVG and CSV, and its
// values as a table. `picture`: {title, file, height, paint(pen, dense), rows()}: its name, that of its files without
// their endings, its height in px where it is PRINT.px wide, how it is drawn so (`dense`: dots of a px), and its values.
const MOST_ROWS = 1000; // of the table; more would be slow to build and endless to listen to
const ABOUT = { png: "PNG", svg: "SVG", csv: "CSV" };

class PictureCorner {
  // `place`: what holds the canvas and nothing that is seen beside it.
  constructor(place, picture) {
    this.picture = picture;
    this.save = this.part("div", "sm-corner");
    for (const [format, letters] of Object.entries(ABOUT)) {
      const button = this.button(letters, `Save as ${letters}: ${picture.title}`);
      button.title = `Save as ${letters}`;
      button.addEventListener("click", () => this.keep(format));
      this.save.append(button);
    }
    this.values = this.button("Values", `Values as a table: ${picture.title}`);
    this.values.className = "sm-corner-values";
    this.values.setAttribute("aria-expanded", "false");
    this.values.addEventListener("click", () => this.toggle(this.box.hidden));
    this.box = this.part("div", "sm-corner-table");
    Object.assign(this.box, { hidden: true, tabIndex: 0 });
    this.box.setAttribute("role", "region");
    this.box.setAttribute("aria-label", `Values: ${picture.title}`);
    this.box.addEventListener("keydown", (event) => { if (event.key === "Escape") { this.toggle(false); this.values.focus(); } });
    place.classList.add("sm-cornered");
    place.append(this.values, this.box, this.save);
  }

  part(tag, name) { return Object.assign(document.createElement(tag), { className: name }); }

  button(text, label) {
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: text });
    button.setAttribute("aria-label", label);
    return button;
  }

  async keep(format) {
    const content = format === "csv" ? new Blob([csvText(this.picture.rows())], { type: "text/csv" }) : await this.drawn(format);
    saveFile(content, `${this.picture.file()}.${format}`);
  }

  async drawn(format) {
    const { height } = this.picture, width = PRINT.px;
    if (format === "svg") {
      const pen = new SvgPen(width, height);
      this.picture.paint(pen, 1);
      return new Blob([pen.svg(width, height)], { type: "image/svg+xml" });
    }
    const dense = PRINT.dpi / 96, canvas = this.part("canvas", "");
    Object.assign(canvas, { width: Math.round(width * dense), height: Math.round(height * dense) });
    const pen = canvas.getContext("2d");
    pen.setTransform(dense, 0, 0, dense, 0, 0);
    this.picture.paint(pen, dense);
    pen.setTransform(1, 0, 0, 1, 0, 0);
    Object.assign(pen, { globalCompositeOperation: "destination-over", fillStyle: "#ffffff" });
    pen.fillRect(0, 0, canvas.width, canvas.height);
    const blob = await new Promise((done) => canvas.toBlob(done, "image/png"));
    return new Blob([withDots(new Uint8Array(await blob.arrayBuffer()))], { type: "image/png" });
  }

  toggle(open) {
    this.box.hidden = !open;
    this.values.setAttribute("aria-expanded", open);
    this.values.textContent = open ? "Picture" : "Values";
    if (open) { this.fill(); this.box.focus(); }
  }

  // What is shown has changed.
  redrawn() { if (!this.box.hidden) this.fill(); }

  fill() {
    const rows = this.picture.rows(), table = document.createElement("table");
    rows.slice(0, MOST_ROWS + 1).forEach((cells, place) => {
      const line = table.insertRow();
      for (const cell of cells) {
        const part = document.createElement(place ? "td" : "th");
        if (!place) part.scope = "col";
        part.textContent = typeof cell === "number" ? String(Number(cell.toPrecision(5))).replace("-", "\u2212") : cell ?? "";
        line.append(part);
      }
    });
    if (rows.length > MOST_ROWS + 1) table.createCaption().textContent = `The first ${MOST_ROWS} of ${rows.length - 1} rows; the CSV has all.`;
    this.box.replaceChildren(table);
  }
}
