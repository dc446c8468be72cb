// A picture or its values as a file: in a size for print, on white, whatever the reader's window and theme are.
const PRINT = { mm: 180, px: 680, dpi: 300 }; // 680 px of 1/96 inch are 180 mm, in which 13 px of type are 9.75 points
const DOTS_A_METRE = Math.round(PRINT.dpi / 0.0254);

class SavedPicture {
  constructor(chart) { this.chart = chart; }

  async save(format) {
    if (!this.chart.latest) return;
    const text = format === "csv" ? this.values() : this.picture(format);
    const [content, ending] = await text;
    const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(content), download: `${this.chart.latest.file}${ending}` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  }

  async picture(format) {
    const plotly = await loadPlotly(this.chart.latest.plotly);
    const { data, layout } = this.printed();
    const size = { width: PRINT.px, height: layout.height, scale: format === "png" ? PRINT.dpi / 96 : 1 };
    const url = await plotly.toImage({ data, layout }, { format, ...size });
    if (format === "svg") {
      const mm = (px) => `${(px * PRINT.mm / PRINT.px).toFixed(1)}mm`;
      const svg = decodeURIComponent(url.slice(url.indexOf(",") + 1));
      const sized = svg.replace(/ width="[\d.]+" height="[\d.]+"/, ` width="${mm(PRINT.px)}" height="${mm(layout.height)}"`);
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
    const quoted = (cell) => (/[",\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
    const safe = (cell) => (/^[=+\-@\t\r]/.test(cell) && Number.isNaN(Number(cell)) ? `'${cell}` : cell);
    const lines = this.chart.values.rows().map((cells) => cells.map((cell) => quoted(safe(cell.replace("\u2212", "-")))).join(","));
    return [new Blob([`${lines.join("\n")}\n`], { type: "text/csv" }), "-rounded.csv"];
  }
}

// A PNG that says how many dots it has a metre, so that it is printed in its size: the chunk pHYs after the first one.
function withDots(png) {
  const chunk = new Uint8Array(21), view = new DataView(chunk.buffer);
  view.setUint32(0, 9);
  chunk.set([..."pHYs"].map((letter) => letter.charCodeAt(0)), 4);
  view.setUint32(8, DOTS_A_METRE);
  view.setUint32(12, DOTS_A_METRE);
  chunk[16] = 1;
  view.setUint32(17, crc(chunk.subarray(4, 17)));
  const first = 8 + 25; // the signature, and IHDR
  const whole = new Uint8Array(png.length + chunk.length);
  whole.set(png.subarray(0, first));
  whole.set(chunk, first);
  whole.set(png.subarray(first), first + chunk.length);
  return whole;
}

function crc(bytes) {
  let rest = 0xffffffff;
  for (const byte of bytes) {
    rest ^= byte;
    for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? (rest >>> 1) ^ 0xedb88320 : rest >>> 1;
  }
  return (rest ^ 0xffffffff) >>> 0;
}
