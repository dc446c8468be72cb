// A moment of a run that the reader looks at: ``window.softmergeMoment`` has figures (JSON by a chart's key), which take
// the place of what the server sent, and steps (``marks``, by a chart's key), which are a line across the chart.
class FilmMoment {
  constructor(chart, signal) {
    this.chart = chart;
    this.line = chart.host.querySelector(".sm-plot-moment");
    window.addEventListener("softmerge-moment", () => this.changed(), { signal });
  }

  changed() {
    if (!this.chart.sent) return;
    this.chart.take();
    this.mark();
  }

  // What the chart is to show: what was sent, or the figure of the moment.
  of(sent) {
    const figure = window.softmergeMoment?.figures[sent.chart];
    if (!figure || figure === sent.figure) return sent;
    return { ...sent, figure, theme: window.softmergeMoment.theme, values: "" }; // the server has other values
  }

  get step() { return window.softmergeMoment?.marks[this.chart.sent?.chart]; }

  // An element of its own: plotly would draw all curves anew to move a line.
  mark() {
    const { div, scale, listening } = this.chart;
    const axes = listening ? div._fullLayout : null;
    const at = axes && this.step !== undefined ? axes.xaxis.c2p(this.step) : -1;
    this.line.hidden = !(at >= 0 && at <= axes?.xaxis._length);
    if (this.line.hidden) return;
    const { _offset: left } = axes.xaxis, { _offset: top, _length: height } = axes.yaxis;
    this.line.style.transform = `translate(${(left + at) * scale}px, ${top * scale}px)`;
    this.line.style.height = `${height * scale}px`;
  }

  // The same line as a shape of a layout, for pictures that are saved.
  shapes() {
    if (this.line.hidden) return [];
    const line = { color: getComputedStyle(this.line).borderLeftColor, width: 1.5 };
    return [{ type: "line", x0: this.step, x1: this.step, yref: "paper", y0: 0, y1: 1, name: "moment", line }];
  }
}
