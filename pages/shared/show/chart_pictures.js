// Sends pictures of all charts of the page, SVG and PNG, when the button is pressed in whose container `asked_by` is.
function asAddress(blob) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(blob);
  });
}

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

export default function (component) {
  const { data, setTriggerValue } = component, stop = new AbortController();
  const asked = (event) => {
    if (event.target.closest?.(`.st-key-${data.asked_by} button`))
      pictures().then((found) => setTriggerValue("pictures", found));
  };
  document.addEventListener("click", asked, { capture: true, signal: stop.signal });
  return () => stop.abort();
}
