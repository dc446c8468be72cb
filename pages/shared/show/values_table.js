// The values of a picture as a table, for readers of screens and for everybody who wants the numbers.
const MOST = 1000; // rows; more would be slow to build and endless to listen to

class ValuesTable {
  constructor(chart) {
    this.chart = chart;
    this.button = chart.host.querySelector(".sm-plot-values");
    this.box = chart.host.querySelector(".sm-plot-table");
    this.button.addEventListener("click", () => this.toggle(this.box.hidden));
    this.box.addEventListener("keydown", (event) => { if (event.key === "Escape") this.close(event); });
  }

  // There is a picture; it need not be drawn yet, as the key Tab must find it far down the page as well.
  offer() { this.button.hidden = false; }

  redrawn() { if (!this.box.hidden) this.fill(); }

  leave() {
    this.toggle(false);
    this.button.hidden = true;
  }

  close(event) {
    event.stopPropagation();
    this.toggle(false);
    this.button.focus();
  }

  toggle(open) {
    this.box.hidden = !open;
    this.button.setAttribute("aria-expanded", open);
    this.button.textContent = open ? "Picture" : "Values";
    if (!open) return;
    this.chart.come(true);
    this.fill();
    this.box.focus();
  }

  label(name) {
    this.button.setAttribute("aria-label", `Values as a table: ${name}`);
    this.box.setAttribute("aria-label", `Values: ${name}`);
  }

  fill() {
    const rows = this.rows();
    const table = document.createElement("table");
    rows.slice(0, MOST + 1).forEach((cells, place) => {
      const line = table.insertRow();
      for (const text of cells) {
        const cell = document.createElement(place ? "td" : "th");
        if (!place) cell.scope = "col";
        cell.textContent = text;
        line.append(cell);
      }
    });
    if (rows.length > MOST + 1) table.createCaption().textContent = `The first ${MOST} of ${rows.length - 1} rows`;
    this.box.replaceChildren(table);
  }

  // Heads, then a row for each point or cell that says something where the pointer rests on it; or the figure's own rows.
  rows() {
    if (!this.chart.div._fullLayout) return []; // soon drawn
    const own = this.chart.div._fullLayout.meta?.values; // of what has no points, as a grid of images
    if (own) return own.map((cells) => cells.map((part) => this.plain(part)));
    const traces = (this.chart.div._fullData ?? []).filter((trace) => trace.visible === true && trace.hoverinfo !== "skip");
    const [x, y] = ["x", "y"].map((letter) => this.title(letter, traces));
    const ranged = traces.some((trace) => trace.error_x?.visible);
    const heat = traces.some((trace) => trace.type === "heatmap");
    const head = ["Series", x, y, ...(heat ? ["Value"] : []), ...(ranged ? ["From", "To"] : [])];
    return [head, ...traces.flatMap((trace) => (trace.type === "heatmap" ? this.cells(trace) : this.points(trace, heat, ranged)))];
  }

  title(letter, traces) {
    const axes = new Set(traces.map((trace) => (trace[`${letter}axis`] ?? letter).replace(letter, `${letter}axis`)));
    const texts = [...axes].map((name) => this.chart.div._fullLayout[name]?.title?.text ?? "");
    const plain = texts.filter((text) => text && !text.startsWith("Click to")).map((text) => this.plain(text.split("<br>")[0]));
    return [...new Set(plain)].join(" / ") || { x: "Column", y: "Row" }[letter];
  }

  cells(trace) {
    return trace.z.flatMap((line, row) => [...line].map((value, col) =>
      [trace.name, trace.x?.[col] ?? col, trace.y?.[row] ?? row, value].map((part) => this.plain(part))));
  }

  points(trace, heat, ranged) {
    const { array, arrayminus, visible } = trace.error_x ?? {};
    return [...(trace.x ?? [])].flatMap((x, place) => {
      const y = trace.y[place];
      if (x === null || y === null || x === undefined || y === undefined) return [];
      const ends = visible ? [x - (arrayminus ?? array)[place], x + array[place]].map((end) => Number(end.toPrecision(5))) : ["", ""];
      return [[trace.name, x, y, ...(heat ? [""] : []), ...(ranged ? ends : [])].map((part) => this.plain(part))];
    });
  }

  // Names are escaped for plotly, and may hold line breaks or bold type of our own.
  plain(value) {
    if (value === null || value === undefined) return "";
    if (typeof value === "number") return typeset(String(Number(value.toPrecision(5))));
    return new DOMParser().parseFromString(String(value), "text/html").body.textContent.trim();
  }
}
