// Keeps how far the reader has come in the lessons, in this browser alone.
const PLACE = "softmerge-lessons";

function kept() {
  try {
    const found = JSON.parse(localStorage.getItem(PLACE) ?? "{}");
    return found && typeof found === "object" && !Array.isArray(found) ? found : {};
  } catch {
    return {}; // no storage, or not ours
  }
}

function keep(progress) {
  try {
    if (Object.keys(progress).length) localStorage.setItem(PLACE, JSON.stringify(progress));
    else localStorage.removeItem(PLACE);
  } catch {
    // where the browser keeps nothing, the session still knows
  }
}

// What the session knows is newer; what is done stays done.
function both(old, known) {
  const found = { ...old };
  for (const [name, one] of Object.entries(known)) {
    const before = old[name] ?? {};
    found[name] = { ...one, done: one.done || before.done === true, said: one.said ?? before.said ?? [] };
  }
  return found;
}

export default function (component) {
  const { data, setStateValue } = component;
  const old = kept();
  const now = data.forget ? {} : both(old, data.known);
  if (JSON.stringify(now) !== JSON.stringify(old)) keep(now);
  if (data.ask && !data.forget && JSON.stringify(now) !== JSON.stringify(both({}, data.known))) setStateValue("kept", now);
  if (data.forget) setStateValue("kept", {});
}
