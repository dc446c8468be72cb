// F2 switches large type, wherever the focus is: a lecturer has one hand at the keyboard.
const KEY = "F2";

export default function () {
  const press = (event) => {
    if (event.key !== KEY || event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    document.querySelector(".st-key-site-type input")?.click();
  };
  document.addEventListener("keydown", press);
  return () => document.removeEventListener("keydown", press);
}
