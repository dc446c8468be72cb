// Sends pictures of all charts of the page, SVG and PNG, when the button is pressed in whose container `asked_by` is.
const WIDTH = 800; // px

async function pictures() {
  const found = {};
  for (const chart of window.softmergeCharts ?? []) {
    for (const format of ["svg", "png"]) {
      const picture = await chart.picture(format, WIDTH).catch(() => null); // one less
      if (picture) found[picture.name] = picture.url;
    }
  }
  return found;
}

export default function (component) {
  const { data, setTriggerValue } = component, stop = new AbortController();
  const asked = (event) => {
    if (event.target.closest?.(`.st-key-${data.asked_by} button`))
      pictures().then((found) => setTriggerValue("pictures", found));
  };
  document.addEventListener("click", asked, { capture: true, signal: stop.signal });
  return () => stop.abort();
}
