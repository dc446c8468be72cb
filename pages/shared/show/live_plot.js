// One chart that stays in the page: the same div is given every new figure by Plotly.react,
// so that the reader's zoom, hover label and hidden series outlive the arrival of data.
// The cursor for the cells of a heatmap is in cell_cursor.js, the table of values in values_table.js, the moment of a film
// in film_moment.js, and what makes files of a picture in save_picture.js; they come first.
const NARROW = 520; // px: below this a figure's own "narrow" changes apply
const RAISED = { "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" };
// For so many times as long as a drawing took, but not longer than LONGEST ms, no chart of the page draws new data.
const REST = 4, LONGEST = 400;
const LEAST = 320; // px: the least that a picture is drawn for

// A number as sentences have it (number_text in numbers.py): with the minus sign of type, and powers of ten raised.
function typeset(text) {
  const power = (_, sign, digits) => `\u00a0×\u00a010${[...(sign === "+" ? "" : sign) + digits].map((c) => RAISED[c]).join("")}`;
  return text.replace(/e([-+]?)(\d+)$/, power).replace(/^-/, "\u2212");
}

// Plotly typesets the numbers of ticks, but not those of hover labels, which it writes with this locale.
function typesetHovers(locale) {
  const plain = locale?.numberFormat;
  if (!plain || locale.typeset) return;
  locale.typeset = true;
  locale.numberFormat = (format) => { const write = plain(format); return (value) => typeset(write(value)); };
}

function loadPlotly(file) {
  if (window.Plotly) return Promise.resolve(window.Plotly);
  window.softmergePlotly ??= [new URL(`app/static/${file}`, document.baseURI), new URL(`/app/static/${file}`, location)]
    .reduce((before, url) => before.catch(() => addScript(url)), Promise.reject(new Error("not loaded")));
  return window.softmergePlotly;
}

function addScript(url) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = url;
    script.onload = () => (window.Plotly ? resolve(window.Plotly) : reject(new Error(`no Plotly in ${url}`)));
    script.onerror = () => reject(new Error(`cannot load ${url}`));
    document.head.append(script);
  });
}

function pageBackground(element) {
  const colour = getComputedStyle(element).getPropertyValue("--st-background-color").trim().toLowerCase();
  return colour.length === 4 ? colour.replace(/[^#]/g, "$&$&") : colour;
}

function isDark(hex) {
  const [red, green, blue] = [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
  return 0.299 * red + 0.587 * green + 0.114 * blue < 128;
}

// A figure comes as JSON, which takes less time to hand on, to compare and to recolour than what it stands for.
// It is coloured for one theme, but the reader may have changed to the other since it was built;
// and its background is the page's own.
function recoloured(data, background) {
  const theme = isDark(background) ? "dark" : "light";
  const own = Object.fromEntries(data.palettes[data.theme].map((hex, i) => [hex, data.palettes[theme][i]]));
  own[data.palettes[data.theme][0]] = background;
  const text = data.figure.replace(/"(#[0-9a-f]{6})"/g, (whole, hex) =>
    own[hex] ? `"${own[hex]}"` : whole);
  return JSON.parse(text);
}

function setPath(target, path, value) {
  const keys = path.split(".");
  const last = keys.pop();
  keys.reduce((at, key) => (at[key] ??= {}), target)[last] = value;
}

// Words that come in the same moment are painted first: they take no time.
function afterPaint(go) {
  let begun = false;
  const once = () => { if (!begun) { begun = true; go(); } };
  requestAnimationFrame(() => setTimeout(once));
  setTimeout(once, 50); // a hidden tab paints nothing
}

class Chart {
  constructor(parent) {
    this.host = parent.querySelector(".sm-plot");
    this.div = this.host.querySelector(".sm-plot-chart");
    this.note = this.host.querySelector(".sm-plot-note");
    this.cursor = new CellCursor(this);
    this.values = new ValuesTable(this);
    this.saved = new SavedPicture(this);
    this.stop = new AbortController();
    this.moment = new FilmMoment(this, this.stop.signal);
    for (const button of this.host.querySelectorAll(".sm-plot-save button"))
      button.addEventListener("click", () => this.saved.save(button.value));
    this.near = this.held = this.drawing = this.listening = false;
    this.scale = 1;
    (window.softmergeCharts ??= new Set()).add(this); // for whoever wants pictures of all of them
    const options = { signal: this.stop.signal, capture: true };
    this.div.addEventListener("pointerdown", () => { this.held = true; }, options);
    // Plotly ends its own click or drag in this same event: go on after it.
    for (const name of ["pointerup", "pointercancel", "blur"])
      window.addEventListener(name, () => setTimeout(() => this.release()), options);
    this.watch = new ResizeObserver(() => this.resize());
    this.watch.observe(this.host);
    // Drawing takes the browser long: what is half a window away or more waits until the reader comes near, or prints.
    const around = { root: this.host.closest("[data-testid=stMain]"), rootMargin: "50% 0px" };
    this.sight = new IntersectionObserver((seen) => this.come(seen.at(-1).isIntersecting), around);
    this.sight.observe(this.host);
    window.addEventListener("beforeprint", () => this.come(true), options);
  }

  come(near) {
    this.near = near;
    if (near) this.draw();
  }

  release() {
    if (!this.held) return;
    this.held = false;
    this.draw();
  }

  resize() {
    if (this.latest && this.host.clientWidth !== this.room) { this.pending = this.latest; this.draw(); }
  }

  update(data, send) {
    this.send = send;
    this.host.style.height = `${data.height * data.scale}px`;
    this.host.setAttribute("aria-label", data.alt);
    this.values.label(data.alt.split(":")[0]);
    for (const button of this.host.querySelectorAll(".sm-plot-save button"))
      button.setAttribute("aria-label", `Save as ${button.textContent}: ${data.alt.split(":")[0]}`);
    if (!data.figure) return void this.clear(data);
    this.sent = data;
    this.values.offer();
    this.take();
  }

  take() {
    const data = (this.latest = this.moment.of(this.sent));
    // A page sends all its charts whenever one of them has something new: the others need no work.
    const shown = [data.figure, data.theme, data.height, data.scale, pageBackground(this.host)].join("\n");
    if (shown === this.shown) return;
    this.shown = shown;
    this.pending = data;
    this.soon();
  }

  // Drawing new data must not take the machine from the run that they come from, which may be the same one. Nothing is
  // left out at the end: what has to wait is the newest picture.
  soon() {
    const wait = this.listening && !window.softmergeMoment ? (window.softmergeRested ?? 0) - performance.now() : 0;
    if (wait <= 0) afterPaint(() => this.draw());
    else this.timer ??= setTimeout(() => { this.timer = null; this.soon(); }, wait);
  }

  // Nothing to show: what an earlier run has drawn here must not pass for this one's.
  clear(data) {
    this.sent = this.latest = this.pending = this.shown = null;
    if (!this.host.dataset.failed) this.note.textContent = data.waiting;
    this.cursor.leave();
    this.values.leave();
    this.moment.mark();
    delete this.host.dataset.drawn;
    if (this.listening) window.Plotly.purge(this.div);
    this.listening = false;
    loadPlotly(data.plotly).catch(() => {});
  }

  // A zoom stays although the figure's own range grows as a run goes on, which Plotly would take for a wish to see it.
  keepZoom(layout) {
    const figures = this.div._fullLayout?._preGUI ?? {};
    for (const name of Object.keys(figures)) {
      const [, axis, end] = name.match(/^([xy]axis\d*)\.range\[([01])\]$/) ?? [];
      if (layout[axis]?.range) figures[name] = layout[axis].range[end];
    }
  }

  async draw() {
    if (this.drawing || !this.latest) return;
    this.drawing = true;
    try {
      const plotly = await loadPlotly(this.latest?.plotly);
      if (this.pending && this.near && !this.held && this.host.clientWidth) {
        const data = this.pending, begun = performance.now();
        this.pending = null;
        const { traces, layout, config } = this.figure(data);
        const resized = this.listening && this.div._fullLayout.width !== layout.width;
        this.keepZoom(layout);
        await plotly.react(this.div, traces, layout, config);
        if (resized) await plotly.redraw(this.div); // react places the legend by the margins of the size before
        this.listen();
        typesetHovers(this.div._fullLayout._d3locale);
        this.host.dataset.updates = Number(this.host.dataset.updates ?? 0) + 1;
        this.host.dataset.drawn = "yes";
        this.note.textContent = "";
        delete this.host.dataset.failed;
        this.cursor.redrawn();
        this.values.redrawn();
        this.moment.mark();
        const now = performance.now();
        window.softmergeRested = now + Math.min(REST * (now - begun), LONGEST);
      }
    } catch (error) {
      this.host.dataset.failed = "yes";
      this.note.textContent = `The chart cannot be drawn: ${error.message}`;
    } finally {
      this.drawing = false;
    }
    if (this.pending && this.near && !this.held && this.host.clientWidth) this.soon(); // it came meanwhile
  }

  figure(data) {
    const figure = recoloured(data, pageBackground(this.host));
    const layout = figure.layout;
    // Larger type: the same picture drawn for less room, and then enlarged as a whole; but never for less than LEAST.
    this.room = this.host.clientWidth;
    this.scale = Math.min(data.scale, Math.max(1, this.room / LEAST));
    this.width = Math.round(this.room / this.scale);
    this.height = Math.round(data.height * data.scale / this.scale);
    Object.assign(this.div.style, { width: `${this.width}px`, height: `${this.height}px` });
    this.div.style.transform = this.scale === 1 ? "" : `scale(${this.scale})`;
    Object.assign(layout, { width: this.width, height: this.height, autosize: false });
    if (this.width < NARROW)
      for (const [path, value] of Object.entries(layout.meta?.narrow ?? {})) setPath(layout, path, value);
    const touch = matchMedia("(pointer: coarse)").matches;
    if (touch) layout.dragmode = false; // a finger's drag scrolls the page
    const config = {
      displayModeBar: touch ? false : "hover",
      displaylogo: false, responsive: false, doubleClick: "reset+autosize",
      modeBarButtons: [["zoom2d", "pan2d", "resetScale2d", ...this.saveButtons()]],
    };
    return { traces: figure.data, layout, config };
  }

  // Always the same ones: for another configuration plotly would draw the chart anew.
  saveButtons() {
    const letters = (format) => `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><text x="12" y="16">${format}</text></svg>`;
    const button = (format) => ({ name: format, title: `Save as ${format}`, icon: { svg: letters(format) }, click: () => this.saved.save(format.toLowerCase()) });
    return (this.saves ??= ["PNG", "SVG", "CSV"].map(button));
  }

  listen() {
    if (this.listening) return;
    this.listening = true;
    this.div.on("plotly_afterplot", () => { // also after a zoom, which makes another locale
      typesetHovers(this.div._fullLayout._d3locale);
      this.moment.mark();
    });
    this.div.on("plotly_click", (event) => this.clicked(event.points[0], event.event));
  }

  clicked(point, event) {
    if (!this.latest.clickable || !point) return;
    this.report(point, point.data.type === "heatmap" ? this.cell(point, event) : null);
  }

  report(point, cell) {
    // Larger than any before it, even after this chart was taken down and put up again.
    this.count = Math.max((this.count ?? 0) + 1, Date.now());
    this.send("click", {
      count: this.count, curve: point.curveNumber, name: point.data.name ?? "",
      point: cell ? null : point.pointNumber ?? null, row: cell?.row ?? null, col: cell?.col ?? null,
      x: point.x ?? null, y: point.y ?? null, customdata: point.customdata ?? null, ...cell,
    });
  }

  // The cell under the pointer itself: plotly reports the one of its last hover label, up to 50 ms old.
  cell(point, event) {
    const area = this.div.querySelector(".nsewdrag").getBoundingClientRect();
    const { x, y, z, customdata } = point.data;
    const within = (place, length) => Math.min(Math.max(Math.round(place), 0), length - 1);
    const row = within(point.yaxis.p2c((event.clientY - area.top) / this.scale), z.length);
    const col = within(point.xaxis.p2c((event.clientX - area.left) / this.scale), z[row].length);
    return { row, col, x: x?.[col] ?? col, y: y?.[row] ?? row, customdata: customdata?.[row]?.[col] ?? null };
  }

  destroy() {
    clearTimeout(this.timer);
    window.softmergeCharts.delete(this);
    this.stop.abort();
    this.watch.disconnect();
    this.sight.disconnect();
    if (this.listening) window.Plotly?.purge(this.div);
  }
}

export default function (component) {
  const parent = component.parentElement;
  const chart = (parent.softmergeChart ??= new Chart(parent));
  chart.update(component.data, component.setStateValue);
  // Also called when newer data overtake older ones: only a chart that left the page is taken down.
  return () => setTimeout(() => { if (!parent.isConnected) chart.destroy(); });
}
