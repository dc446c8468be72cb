// Has the browser save a file; its address is forgotten once it surely has.
const KEPT_ADDRESS = 60_000; // ms

function saveFile(content, name) {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(content), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), KEPT_ADDRESS);
}
