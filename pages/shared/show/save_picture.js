// A picture or its values as a file: in a size for print, on white, whatever the reader's window and theme are.
// What any picture's files have in common is in print_files.js.

class SavedPicture {
  constructor(chart) { this.chart = chart; }

  async save(format) {
    if (!this.chart.latest) return;
    const text = format === "csv" ? this.values() : this.picture(format);
    const [content, ending] = await text;
    saveFile(content, `${this.chart.latest.file}${ending}`);
  }

  async picture(format) {
    const plotly = await loadPlotly(this.chart.latest.plotly);
    const { data, layout } = this.printed();
    const size = { width: PRINT.px, height: layout.height, scale: format === "png" ? PRINT.dpi / 96 : 1 };
    const url = await plotly.toImage({ data, layout }, { format, ...size });
    if (format === "svg") {
      const svg = decodeURIComponent(url.slice(url.indexOf(",") + 1));
      const sized = svg.replace(/ width="[\d.]+" height="[\d.]+"/, ` width="${inMm(PRINT.px)}" height="${inMm(layout.height)}"`);
      return [new Blob([sized], { type: "image/svg+xml" }), ".svg"];
    }
    const bytes = Uint8Array.from(atob(url.slice(url.indexOf(",") + 1)), (letter) => letter.charCodeAt(0));
    return [new Blob([withDots(bytes)], { type: "image/png" }), ".png"];
  }

  // The figure in the light theme, at the width of print, with the zoom and the series that its reader has chosen.
  printed() {
    const { data, layout } = recoloured(this.chart.latest, "#ffffff");
    // A font of the page's own is not there where a picture is made of it: letters would be wider than their places.
    layout.font = { ...layout.font, family: "Arial, Helvetica, sans-serif" };
    Object.assign(layout, { width: PRINT.px, height: this.chart.latest.height, autosize: false });
    layout.shapes = [...(layout.shapes ?? []), ...this.chart.moment.shapes()];
    const drawn = this.chart.div._fullLayout ?? {};
    for (const name of Object.keys(drawn).filter((key) => /^[xy]axis\d*$/.test(key)))
      if (drawn[name].range) Object.assign((layout[name] ??= {}), { range: [...drawn[name].range], autorange: false });
    (this.chart.div.data ?? []).forEach((trace, place) => { if (data[place] && trace.visible !== undefined) data[place].visible = trace.visible; });
    return { data, layout };
  }

  // All values as the server has them; where it has forgotten the figure, those that were drawn, of five digits.
  async values() {
    try {
      const answer = this.chart.latest.values && await fetch(new URL(`app/static/${this.chart.latest.values}`, document.baseURI));
      if (answer?.ok) return [await answer.blob(), ".csv"];
    } catch { /* the server is gone */ }
    const rows = this.chart.values.rows().map((cells) => cells.map((cell) => cell.replace("\u2212", "-")));
    return [new Blob([csvText(rows)], { type: "text/csv" }), "-rounded.csv"];
  }
}
