// Brings what a step is about into view, once, unless the reader has begun to look around; names the panel of the lesson.
const PATIENCE = 30000; // ms in which a page has surely drawn all its parts
const REST = 400; // ms after which what lies above has its place

function name(title) {
  const panel = document.querySelector(".st-key-lesson-panel");
  if (!panel) return;
  panel.setAttribute("role", "region");
  panel.setAttribute("aria-label", title);
  const text = panel.querySelector(".st-key-lesson-text");
  text?.setAttribute("aria-live", "polite");
  const size = () => {
    document.documentElement.style.setProperty("--sm-panel", `${panel.offsetHeight}px`);
    text?.toggleAttribute("tabindex", text.scrollHeight > text.clientHeight + 1); // a long text on a phone is scrolled
    if (text?.hasAttribute("tabindex")) text.tabIndex = 0;
  };
  size();
  if (panel.softmergeWatched) return;
  panel.softmergeWatched = true;
  new ResizeObserver(size).observe(panel);
}

function bring(part) {
  const box = part.getBoundingClientRect();
  const panel = document.querySelector(".st-key-lesson-panel")?.getBoundingClientRect();
  const top = (panel?.bottom ?? 60) + 10;
  if (box.top >= top && box.bottom <= innerHeight - 70) return;
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  part.scrollIntoView({ block: "start", behavior: still ? "auto" : "smooth" });
}

class Spot {
  look({ shows, token }) {
    if (token === window.softmergeSpot) return;
    window.softmergeSpot = token;
    this.stop?.abort();
    if (!shows) return;
    this.stop = new AbortController();
    const { signal } = this.stop;
    for (const own of ["wheel", "touchmove", "keydown"]) {
      addEventListener(own, () => this.stop.abort(), { signal, capture: true, passive: true });
    }
    const end = Date.now() + PATIENCE;
    const wait = () => {
      if (signal.aborted || Date.now() > end) return;
      const part = document.querySelector(`.st-key-${shows}`);
      const ready = document.querySelector("[data-testid=stApp][data-test-script-state=notRunning]");
      if (!part || !ready) return setTimeout(wait, 100);
      setTimeout(() => { if (!signal.aborted) bring(part); }, REST);
    };
    wait();
  }
}

export default function (component) {
  const parent = component.parentElement;
  const spot = (parent.softmergeSpotlight ??= new Spot());
  name(component.data.title);
  spot.look(component.data);
}
