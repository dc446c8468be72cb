// The network as a strip of its layers. Each layer is a native select, so that mouse, finger, keyboard and screen
// reader work as everywhere; the left and right arrow keys go from layer to layer. Many layers are folded into blocks:
// a block is a select as well, for all its layers at once, beside a button that opens it.
const WORDS = { gate: "Gate", average: "Average" };
const ICONS = { gate: "◐", average: "≈", keep: "■", mixed: "◫" };
const MIXED = "mixed"; // what a block shows whose layers differ; nobody can choose it
const opened = new Map(); // strip -> its open blocks: they outlive a change of page

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

function sum(layers, field) {
  return layers.reduce((total, layer) => total + layer[field], 0);
}

class Strip {
  constructor(parent) {
    this.host = parent.querySelector(".sm-strip");
    this.changed = 0; // when the reader last changed something, as counted here
    this.choices = {};
    this.selects = new Map();
    this.blocks = new Map();
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
    this.showAll(data.disabled);
  }

  showAll(disabled) {
    for (const [name, select] of this.selects) this.show(select, this.choices[name] ?? "gate", disabled);
    for (const block of this.blocks.values()) this.show(block.select, this.common(block.layers), disabled);
  }

  build(data) {
    this.sources = data.sources;
    this.selects.clear();
    this.blocks.clear();
    const smallest = Math.min(...data.layers.map((layer) => Math.log2(layer.parameters + 2)));
    this.host.classList.toggle("sm-folded", data.folded);
    this.host.replaceChildren(...(data.folded ? this.folded(data.layers, smallest) : this.plain(data.layers, smallest)));
    if (data.folded) this.filter("");
  }

  plain(layers, smallest) {
    const blocks = [];
    for (const layer of layers) {
      if (blocks.at(-1)?.dataset.block !== layer.block) blocks.push(this.block(layer.block));
      blocks.at(-1).querySelector(".sm-layers").append(this.layer(layer, smallest));
    }
    return blocks;
  }

  block(name) {
    const made = element("div", "sm-block");
    made.dataset.block = name;
    made.append(element("div", "sm-block-name", name), element("div", "sm-layers"));
    return made;
  }

  folded(layers, smallest) {
    const names = layers.map((layer) => layer.name).join("\n");
    if (!opened.has(names)) opened.set(names, new Set());
    this.open = opened.get(names);
    const groups = [];
    for (const layer of layers) {
      if (groups.at(-1)?.[0].block !== layer.block) groups.push([]);
      groups.at(-1).push(layer);
    }
    return [this.search(), ...groups.map((group, place) => this.fold(group, smallest, place))];
  }

  search() {
    const made = element("input", "sm-search");
    Object.assign(made, { type: "search", placeholder: "Find layers by name" });
    made.setAttribute("aria-label", "Find layers by name");
    made.addEventListener("input", () => this.filter(made.value));
    this.told = element("div", "sm-found");
    this.told.setAttribute("role", "status");
    const row = element("div", "sm-find");
    row.append(made, this.told);
    return row;
  }

  fold(layers, smallest, place) {
    const { block, short } = layers[0];
    const made = element("div", "sm-block");
    made.dataset.block = block;
    const inside = element("div", "sm-layers");
    inside.id = `sm-layers-${place}`;
    inside.append(...layers.map((layer) => this.layer(layer, smallest)));
    const head = element("div", "sm-head");
    if (layers.length === 1) {
      made.append(inside);
      made.classList.add("sm-single");
    } else {
      const parameters = sum(layers, "parameters");
      const all = { name: block, kind: `${layers.length} layers`, channels: sum(layers, "channels"), parameters };
      const { card, select } = this.card(all, short, `${layers.length}\u00a0layers, ${count(parameters)}`, smallest);
      select.append(Object.assign(element("option", "", "Mixed"), { value: MIXED, disabled: true, hidden: true }));
      select.addEventListener("change", () => this.choose(layers.map((layer) => layer.name), select.value));
      head.append(this.opener(block, inside), card);
      made.append(head, inside);
      this.blocks.set(block, { layers, select });
    }
    return made;
  }

  opener(block, inside) {
    const made = element("button", "sm-open", "▸");
    made.type = "button";
    made.setAttribute("aria-controls", inside.id);
    made.setAttribute("aria-label", `Layers of ${block}`);
    made.addEventListener("click", () => {
      if (!this.open.delete(block)) this.open.add(block);
      this.filter(this.wanted);
    });
    return made;
  }

  // Blocks as they are open or closed; while a name is looked for, the layers that have it, and nothing else.
  filter(wanted) {
    this.wanted = wanted;
    const words = wanted.toLowerCase().split(/\s+/).filter(Boolean);
    const fits = (name) => words.every((word) => name.toLowerCase().includes(word));
    let found = 0;
    for (const [name, select] of this.selects) {
      select.parentElement.hidden = !fits(name);
      found += fits(name);
    }
    for (const made of this.host.querySelectorAll(".sm-block")) {
      const inside = made.querySelector(".sm-layers");
      const open = words.length ? true : this.open.has(made.dataset.block);
      made.hidden = ![...inside.children].some((layer) => !layer.hidden);
      inside.hidden = !open && !made.classList.contains("sm-single");
      const button = made.querySelector(".sm-open");
      button?.setAttribute("aria-expanded", open);
      if (button) button.textContent = open ? "▾" : "▸";
    }
    this.told.textContent = words.length ? `${found} of ${this.selects.size} layers` : `${this.selects.size} layers`;
  }

  layer(layer, smallest) {
    const inner = layer.name.startsWith(`${layer.block}.`) ? layer.name.slice(layer.block.length + 1) : layer.name;
    const short = /^[\d.]+$/.test(inner) ? layer.name : inner; // a bare number says nothing
    const { card, select } = this.card(layer, short, `${layer.kind}, ${layer.channels}\u00a0ch`, smallest);
    select.addEventListener("change", () => this.choose([layer.name], select.value));
    this.selects.set(layer.name, select);
    return card;
  }

  // What is seen of a layer, or of a block of them, over the select that decides about it.
  card(part, short, about, smallest) {
    const card = element("label", "sm-layer");
    card.style.setProperty("--sm-size", (Math.log2(part.parameters + 2) - smallest).toFixed(2));
    card.title = `${part.name}: ${part.kind}, ${part.channels} channels, ${count(part.parameters)} parameters`;
    const select = element("select", "sm-choice");
    select.setAttribute("aria-label", card.title);
    const options = [["gate", WORDS.gate], ["average", WORDS.average]];
    this.sources.forEach((source, index) => options.push([`keep:${index}`, `Keep ${source}`]));
    select.append(...options.map(([value, text]) => Object.assign(element("option", "", text), { value })));
    const choice = element("span", "sm-state");
    choice.append(element("span", "sm-icon"), element("span", "sm-word"));
    card.append(element("span", "sm-name", short), element("span", "sm-about", about), choice, select);
    return { card, select };
  }

  common(layers) {
    const found = new Set(layers.map((layer) => this.choices[layer.name] ?? "gate"));
    return found.size === 1 ? [...found][0] : MIXED;
  }

  show(select, choice, disabled = select.disabled) {
    if (select.value !== choice) select.value = choice;
    select.disabled = disabled;
    const label = select.parentElement;
    label.dataset.state = state(choice);
    label.querySelector(".sm-icon").textContent = ICONS[state(choice)];
    label.querySelector(".sm-word").textContent = select.selectedOptions[0]?.textContent ?? choice;
  }

  choose(names, choice) {
    this.choices = { ...this.choices, ...Object.fromEntries(names.map((name) => [name, choice])) };
    this.showAll();
    this.changed = Math.max(this.changed + 1, Date.now());
    this.send("choices", { count: this.changed, choices: this.choices });
  }

  // From select to select, as they are seen.
  arrow(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step || !event.target.matches(".sm-choice")) return;
    event.preventDefault();
    const all = [...this.host.querySelectorAll(".sm-choice")].filter((each) => each.checkVisibility());
    all[all.indexOf(event.target) + step]?.focus();
  }
}

export default function (component) {
  const parent = component.parentElement;
  const strip = (parent.softmergeStrip ??= new Strip(parent));
  strip.update(component.data, component.setStateValue);
}
