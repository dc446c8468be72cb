// Plays the film that lies packed in this page. Plotly's script lies beside it: nothing is asked of any network.
"use strict";
const NARROW = 520; // px: below this a figure's own "narrow" changes apply
const JUMPS = 60; // moments that are drawn at most while it plays through; longer films go in larger steps
const at = (id) => document.getElementById(id);
const dark = matchMedia("(prefers-color-scheme: dark)");
let film, place = 0, timer = null, drawing = false, again = false;

async function unpacked(id) {
  const bytes = Uint8Array.from(atob(at(id).textContent), (letter) => letter.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
}

function setPath(target, keys, value) {
  const last = keys[keys.length - 1];
  keys.slice(0, -1).reduce((inner, key) => (inner[key] ??= {}), target)[last] = value;
}

// A picture at a moment: its first figure with what is other then.
function figureAt(picture) {
  const figure = structuredClone(picture.base);
  for (const [path, value] of picture.frames[place] ?? []) setPath(figure, path, structuredClone(value));
  if (picture.marked) {
    const line = { type: "line", xref: "x", yref: "paper", x0: film.steps[place], x1: film.steps[place], y0: 0, y1: 1,
      line: { color: film.palettes[film.theme][1], width: 1.5 } };
    figure.layout.shapes = [...(figure.layout.shapes ?? []), line];
  }
  return recoloured(figure);
}

// Figures are made in one theme; each of its colours has its own in the other.
function recoloured(figure) {
  const theme = dark.matches ? "dark" : "light";
  if (theme === film.theme) return figure;
  const other = Object.fromEntries(film.palettes[film.theme].map((hex, i) => [hex, film.palettes[theme][i]]));
  return JSON.parse(JSON.stringify(figure).replace(/"(#[0-9a-f]{6})"/g, (whole, hex) => (other[hex] ? `"${other[hex]}"` : whole)));
}

async function drawOne(picture) {
  const { data, layout } = figureAt(picture);
  const width = Math.round(picture.div.clientWidth);
  Object.assign(layout, { width, height: picture.height, autosize: false });
  if (matchMedia("(pointer: coarse)").matches) layout.dragmode = false; // a finger's drag scrolls the page
  if (width < NARROW) for (const [path, value] of Object.entries(layout.meta?.narrow ?? {})) setPath(layout, path.split("."), value);
  await Plotly.react(picture.div, data, layout, { displaylogo: false, responsive: false, displayModeBar: false });
  picture.said.textContent = picture.words[place];
}

async function draw() {
  if (drawing) { again = true; return; }
  drawing = true;
  try {
    do {
      again = false;
      tell();
      for (const picture of film.pictures) await drawOne(picture);
    } while (again);
  } finally { drawing = false; }
  document.body.dataset.drawn = place;
}

const counted = (number) => number.toLocaleString("en");

function tell() {
  at("place").value = place;
  at("place").setAttribute("aria-valuetext", `step ${film.steps[place]}`);
  at("step").textContent = `Step ${counted(film.steps[place])} of ${counted(film.steps.at(-1))}`;
  const before = film.told.filter(([moment]) => moment <= place).at(-1);
  at("told").textContent = before ? `Since step ${counted(before[1])}: ${before[2]}.` : "Nothing has happened yet.";
}

function go(to) {
  const next = Math.min(Math.max(to, 0), film.steps.length - 1);
  if (next !== place) { place = next; draw(); }
}

function pause() {
  clearInterval(timer);
  timer = null;
  at("play").textContent = "Play";
}

function play() {
  if (timer) return pause();
  const last = film.steps.length - 1, by = Math.max(1, Math.round(last / JUMPS));
  if (place >= last) go(0);
  at("play").textContent = "Pause";
  timer = setInterval(() => { go(place + by); if (place >= last) pause(); }, Number(at("speed").value));
}

function listen() {
  at("back").onclick = () => { pause(); go(place - 1); };
  at("on").onclick = () => { pause(); go(place + 1); };
  at("play").onclick = play;
  at("place").oninput = (event) => { pause(); go(Number(event.target.value)); };
  at("speed").onchange = () => { if (timer) { pause(); play(); } };
  const keys = { ArrowLeft: () => go(place - 1), ArrowRight: () => go(place + 1), Home: () => go(0), End: () => go(film.steps.length - 1) };
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("select")) return;
    if (event.key === " " && !event.target.matches("button")) { event.preventDefault(); play(); }
    if (keys[event.key]) { event.preventDefault(); pause(); keys[event.key](); }
  });
  dark.addEventListener("change", draw);
  let width = innerWidth;
  addEventListener("resize", () => { if (innerWidth !== width) { width = innerWidth; draw(); } });
}

function layOut() {
  for (const name of ["title", "verdict", "why", "made"]) at(name).textContent = film[name];
  const shown = film.steps.length;
  at("note").textContent = `${counted(shown)} of ${counted(film.moments)} moments are shown. Arrow keys go from one to the next, the space bar plays.`;
  at("place").max = shown - 1;
  at("pictures").classList.toggle("many", film.pictures.length > 4);
  for (const picture of film.pictures) {
    const section = document.createElement("section"), title = document.createElement("h2");
    picture.said = document.createElement("p");
    picture.said.className = "words";
    picture.div = document.createElement("div");
    picture.div.setAttribute("role", "figure");
    picture.div.setAttribute("aria-label", picture.title);
    picture.div.style.height = `${picture.height}px`;
    title.textContent = picture.title;
    section.append(title, picture.said, picture.div);
    at("pictures").append(section);
  }
}

async function begin() {
  if (!window.DecompressionStream) throw new Error("this browser is too old for it: open it in a newer one");
  const script = document.createElement("script");
  script.textContent = await unpacked("plotly");
  document.head.append(script);
  film = JSON.parse(await unpacked("film"));
  layOut();
  listen();
  await draw();
}

begin().catch((error) => { at("told").textContent = `The replay cannot be shown: ${error.message}`; });
