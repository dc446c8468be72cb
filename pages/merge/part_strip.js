// The network as a strip of its layers. Each layer is a native select, so that mouse, finger, keyboard and screen
// reader work as everywhere; the left and right arrow keys go from layer to layer.
const WORDS = { gate: "Gate", average: "Average" };
const ICONS = { gate: "◐", average: "≈", keep: "■" };

function element(tag, name, text = "") {
  const made = document.createElement(tag);
  made.className = name;
  made.textContent = text;
  return made;
}

function state(choice) {
  return choice.startsWith("keep:") ? "keep" : choice;
}

function count(number) {
  return number >= 1e6 ? `${(number / 1e6).toFixed(1)} M` : number >= 1e3 ? `${(number / 1e3).toFixed(1)} k` : `${number}`;
}

class Strip {
  constructor(parent) {
    this.host = parent.querySelector(".sm-strip");
    this.changed = 0; // when the reader last changed something, as counted here
    this.choices = {};
    this.selects = new Map();
    this.host.addEventListener("keydown", (event) => this.arrow(event));
  }

  update(data, send) {
    this.send = send;
    this.host.setAttribute("aria-label", data.label);
    const drawn = JSON.stringify([data.layers, data.sources]);
    if (drawn !== this.drawn) this.build(data);
    this.drawn = drawn;
    // The server's choices count, but for those of an earlier moment than the reader's last change.
    if (data.seen >= this.changed) this.choices = { ...data.choices };
    for (const [name, select] of this.selects) this.show(name, select, data.disabled);
  }

  build(data) {
    this.sources = data.sources;
    this.selects.clear();
    const smallest = Math.min(...data.layers.map((layer) => Math.log2(layer.parameters + 2)));
    const blocks = [];
    for (const layer of data.layers) {
      if (blocks.at(-1)?.dataset.block !== layer.block) blocks.push(this.block(layer.block));
      blocks.at(-1).querySelector(".sm-layers").append(this.layer(layer, smallest));
    }
    this.host.replaceChildren(...blocks);
  }

  block(name) {
    const made = element("div", "sm-block");
    made.dataset.block = name;
    made.append(element("div", "sm-block-name", name), element("div", "sm-layers"));
    return made;
  }

  layer(layer, smallest) {
    const made = element("label", "sm-layer");
    const inner = layer.name.startsWith(`${layer.block}.`) ? layer.name.slice(layer.block.length + 1) : layer.name;
    const short = /^[\d.]+$/.test(inner) ? layer.name : inner; // a bare number says nothing
    const about = `${layer.kind}, ${layer.channels}\u00a0ch`;
    made.style.setProperty("--sm-size", (Math.log2(layer.parameters + 2) - smallest).toFixed(2));
    made.title = `${layer.name}: ${layer.kind}, ${layer.channels} channels, ${count(layer.parameters)} parameters`;
    const select = element("select", "sm-choice");
    select.setAttribute("aria-label", made.title);
    const options = [["gate", WORDS.gate], ["average", WORDS.average]];
    this.sources.forEach((source, index) => options.push([`keep:${index}`, `Keep ${source}`]));
    select.append(...options.map(([value, text]) => Object.assign(element("option", "", text), { value })));
    select.addEventListener("change", () => this.choose(layer.name, select));
    const choice = element("span", "sm-state");
    choice.append(element("span", "sm-icon"), element("span", "sm-word"));
    made.append(element("span", "sm-name", short), element("span", "sm-about", about), choice, select);
    this.selects.set(layer.name, select);
    return made;
  }

  show(name, select, disabled = select.disabled) {
    const choice = this.choices[name] ?? "gate";
    if (select.value !== choice) select.value = choice;
    select.disabled = disabled;
    const label = select.parentElement;
    label.dataset.state = state(choice);
    label.querySelector(".sm-icon").textContent = ICONS[state(choice)];
    label.querySelector(".sm-word").textContent = select.selectedOptions[0]?.textContent ?? choice;
  }

  choose(name, select) {
    this.choices = { ...this.choices, [name]: select.value };
    this.show(name, select);
    this.changed = Math.max(this.changed + 1, Date.now());
    this.send("choices", { count: this.changed, choices: this.choices });
  }

  arrow(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const all = [...this.selects.values()];
    if (!step || !all.includes(event.target)) return;
    event.preventDefault();
    all[all.indexOf(event.target) + step]?.focus();
  }
}

export default function (component) {
  const parent = component.parentElement;
  const strip = (parent.softmergeStrip ??= new Strip(parent));
  strip.update(component.data, component.setStateValue);
}
