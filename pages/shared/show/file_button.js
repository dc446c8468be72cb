// A button that saves a file. What is being made belongs to the window: the page may be drawn again meanwhile, and this
// button taken away and put up once more.
const PATIENCE = 8000; // ms for which it is said why there is no file, or until the next press
const UNREACHED = "The server cannot be reached: try again in a moment.";

function asAddress(blob) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(blob);
  });
}

// Pictures of all charts of the page, SVG and PNG, by the names of their files.
async function pictures() {
  const found = {};
  for (const chart of window.softmergeCharts ?? []) {
    if (!chart.latest) continue;
    for (const format of ["svg", "png"]) {
      try {
        const [content, ending] = await chart.saved.picture(format);
        found[`${chart.latest.chart.replace(/-plot$/, "")}${ending}`] = await asAddress(content);
      } catch { /* one less */ }
    }
  }
  return found;
}

async function contentOf(data) {
  if (!data.address) return new Blob([data.text], { type: "text/plain" });
  const body = JSON.stringify({ pictures: data.pictures ? await pictures() : {} });
  const asked = { method: "POST", headers: { "X-Softmerge": "file", "Content-Type": "application/json" }, body };
  const answer = await fetch(new URL(data.address, document.baseURI), asked).catch(() => null);
  if (answer?.ok) return answer.blob();
  throw new Error((await answer?.json().catch(() => null))?.problem ?? UNREACHED);
}

// All files that are being made, and what is said of those that were not, by their names; `changed`: the buttons.
class Files {
  constructor() { this.busy = new Set(); this.said = new Map(); this.changed = new Set(); }

  tell() { for (const show of this.changed) show(); }

  say(file, text) {
    this.said.set(file, text);
    this.tell();
    setTimeout(() => { if (this.said.get(file) === text) { this.said.delete(file); this.tell(); } }, PATIENCE);
  }

  async take(data) {
    if (this.busy.has(data.file)) return;
    this.busy.add(data.file);
    this.said.delete(data.file);
    this.tell();
    try {
      saveFile(await contentOf(data), data.file);
    } catch (error) {
      this.say(data.file, error.message);
    }
    this.busy.delete(data.file);
    this.tell();
  }
}

class FileButton {
  constructor(parent) {
    const find = (selector) => parent.querySelector(selector);
    [this.host, this.button, this.icon, this.label, this.said] =
      [".sm-file", "button", ".sm-file-icon", ".sm-file-label", ".sm-file-said"].map(find);
    this.files = (window.softmergeFiles ??= new Files());
    this.button.addEventListener("click", () => this.files.take(this.data));
    this.show = () => this.dress();
    this.files.changed.add(this.show);
  }

  update(data) {
    this.data = data;
    this.label.textContent = data.label;
    this.button.title = data.help;
    this.host.classList.toggle("sm-file-small", data.small);
    this.host.hidden = false; // now that it has a name
    this.dress();
  }

  dress() {
    const busy = this.files.busy.has(this.data.file);
    this.button.setAttribute("aria-busy", busy);
    this.icon.textContent = busy ? "progress_activity" : this.data.icon;
    this.icon.hidden = !this.icon.textContent;
    this.said.textContent = this.files.said.get(this.data.file) ?? "";
  }

  leave() { this.files.changed.delete(this.show); }
}

export default function (component) {
  const parent = component.parentElement;
  const button = (parent.softmergeFile ??= new FileButton(parent));
  button.update(component.data);
  return () => setTimeout(() => { if (!button.host.isConnected) button.leave(); });
}
