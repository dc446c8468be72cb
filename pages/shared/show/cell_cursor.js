// The cells of a heatmap for the keyboard: the arrow keys move a frame from cell to cell, whose text is told.
class CellCursor {
  constructor(chart) {
    this.chart = chart;
    this.frame = chart.host.querySelector(".sm-plot-cell");
    this.told = chart.host.querySelector(".sm-plot-told");
    this.row = this.col = 0;
    chart.host.addEventListener("keydown", (event) => this.key(event));
    chart.host.addEventListener("focus", () => this.show());
    chart.host.addEventListener("blur", () => this.hide());
  }

  // The first heatmap whose cells say something.
  trace() {
    return this.chart.div._fullData?.find((trace) => trace.type === "heatmap" && trace.hovertemplate && trace.z?.length);
  }

  redrawn() {
    const { host } = this.chart;
    if (!this.trace()) return this.leave();
    host.tabIndex = 0;
    host.setAttribute("aria-description", "The arrow keys go from cell to cell.");
    if (document.activeElement === host) this.show("off"); // read aloud only when the reader moves, not with new data
  }

  leave() {
    this.chart.host.removeAttribute("tabindex");
    this.chart.host.removeAttribute("aria-description");
    this.hide();
  }

  hide() {
    this.frame.hidden = true;
    this.told.textContent = "";
  }

  axes(trace) {
    const layout = this.chart.div._fullLayout;
    return ["x", "y"].map((letter) => layout[(trace[`${letter}axis`] ?? letter).replace(letter, `${letter}axis`)]);
  }

  key(event) {
    const trace = this.trace();
    if (!trace || event.target !== this.chart.host || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Enter" || event.key === " ") this.choose(trace);
    else if (!this.move(event.key, trace)) return;
    event.preventDefault();
    event.stopPropagation();
  }

  move(key, trace) {
    const [x, y] = this.axes(trace);
    const across = x.c2p(1) > x.c2p(0) ? 1 : -1;
    const down = y.c2p(1) > y.c2p(0) ? 1 : -1;
    const step = { ArrowRight: [0, across], ArrowLeft: [0, -across], ArrowDown: [down, 0], ArrowUp: [-down, 0] }[key];
    if (step) { this.row += step[0]; this.col += step[1]; this.show(); }
    return Boolean(step);
  }

  show(live = "polite") {
    const trace = this.trace();
    if (!trace) return;
    this.row = Math.min(Math.max(this.row, 0), trace.z.length - 1);
    this.col = Math.min(Math.max(this.col, 0), trace.z[this.row].length - 1);
    const [x, y] = this.axes(trace);
    const [left, right] = this.edges(x, trace.x, this.col);
    const [top, bottom] = this.edges(y, trace.y, this.row);
    Object.assign(this.frame.style, {
      left: `${left}px`, top: `${top}px`, width: `${right - left}px`, height: `${Math.max(bottom - top, 3)}px`,
    });
    this.frame.hidden = false;
    this.told.setAttribute("aria-live", live);
    this.told.textContent = this.text(trace);
  }

  // Where a cell begins and ends on the screen, in px within the chart.
  edges(axis, places, index) {
    const at = (i) => (axis.type === "category" || !places ? i : Number(places[i]));
    const last = (places?.length ?? index + 2) - 1;
    const near = index < last ? at(index + 1) : at(index - 1);
    const half = Math.abs(near - at(index)) / 2 || 0.5;
    return [axis.c2p(at(index) - half), axis.c2p(at(index) + half)]
      .sort((a, b) => a - b).map((px) => (px + axis._offset) * this.chart.scale);
  }

  text(trace) {
    const { row, col } = this;
    const known = { x: trace.x?.[col] ?? col, y: trace.y?.[row] ?? row, z: trace.z[row][col], customdata: trace.customdata?.[row]?.[col] };
    return trace.hovertemplate
      .replace(/<extra>.*<\/extra>/s, "")
      .replace(/%\{(\w+)(?::\.(\d)([fg]))?[^}]*\}/g, (_, name, digits, kind) => this.written(known[name], digits, kind))
      .replace(/<br>/g, ", ").replace(/<[^>]*>/g, "");
  }

  written(value, digits, kind) {
    if (value === null || value === undefined) return "unknown";
    if (digits === undefined) return typeof value === "number" ? typeset(String(value)) : String(value);
    return typeset(kind === "f" ? Number(value).toFixed(digits) : String(Number(Number(value).toPrecision(digits))));
  }

  choose(trace) {
    if (!this.chart.latest.clickable) return;
    const { row, col } = this;
    const cell = { row, col, x: trace.x?.[col] ?? col, y: trace.y?.[row] ?? row, customdata: trace.customdata?.[row]?.[col] ?? null };
    this.chart.report({ curveNumber: trace.index, data: trace }, cell);
  }
}
