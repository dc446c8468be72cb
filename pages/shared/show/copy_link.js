// Copies a link to the page as the server says that it is. The link is asked for at the press: what is copied is a promise
// of it, because browsers let a page write to the clipboard only while the press is fresh.
const SHOWN = 2500; // ms for which it is said that the link was copied

class Copier {
  constructor(parent) {
    const find = (selector) => parent.querySelector(selector);
    [this.button, this.word, this.place, this.field, this.said] =
      ["button", "button span", ".sm-link", "input", ".sm-said"].map(find);
    this.asked = 0;
    this.button.addEventListener("click", () => this.copy());
    this.field.addEventListener("focus", () => this.field.select());
    parent.querySelector(".sm-copy").addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !this.place.hidden) this.close();
    });
  }

  update(data, send) {
    this.send = send;
    if (!this.answer || data.asked !== this.asked) return;
    this.answer(`${location.origin}${location.pathname}?${data.query}`);
    this.answer = null;
  }

  async copy() {
    if (!this.place.hidden) return this.close();
    this.asked = Math.max(this.asked + 1, Date.now());
    const link = new Promise((resolve) => { this.answer = resolve; });
    this.send("asked", this.asked);
    try {
      await this.write(link);
      this.tell("Copied");
    } catch {
      this.offer(await link);
    }
  }

  async write(link) {
    const blob = link.then((text) => new Blob([text], { type: "text/plain" }));
    await navigator.clipboard.write([new ClipboardItem({ "text/plain": blob })]);
  }

  // Where pages may not use the clipboard, as at an address that is neither encrypted nor of this machine.
  offer(link) {
    this.place.hidden = false;
    this.field.value = link;
    this.field.focus();
    this.field.select();
    if (!document.execCommand("copy")) return;
    this.close();
    this.tell("Copied");
  }

  close() {
    this.place.hidden = true;
    this.button.focus();
  }

  tell(word) {
    this.word.textContent = word;
    this.said.textContent = "The link to this page is copied.";
    clearTimeout(this.later);
    this.later = setTimeout(() => {
      this.word.textContent = "Copy link";
      this.said.textContent = "";
    }, SHOWN);
  }
}

export default function (component) {
  const parent = component.parentElement;
  const copier = (parent.softmergeCopier ??= new Copier(parent));
  copier.update(component.data, component.setStateValue);
}
