// Files of pictures: in a size for print, on white, whatever the reader's window and theme are; and of their values.
const PRINT = { mm: 180, px: 680, dpi: 300 }; // 680 px of 1/96 inch are 180 mm, in which 13 px of type are 9.75 points
const DOTS_A_METRE = Math.round(PRINT.dpi / 0.0254);

function inMm(px) { return `${(px * PRINT.mm / PRINT.px).toFixed(1)}mm`; }

// Rows of texts and numbers, safe for spreadsheets.
function csvText(rows) {
  const quoted = (cell) => (/[",\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
  const safe = (cell) => (/^[=+\-@\t\r]/.test(cell) && Number.isNaN(Number(cell)) ? `'${cell}` : cell);
  return rows.map((cells) => `${cells.map((cell) => quoted(safe(String(cell ?? "")))).join(",")}\n`).join("");
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
