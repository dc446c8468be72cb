// Narrow screens have the pages in a menu that Streamlit draws beside the page. Here it gets what keyboards and screen
// readers miss in it: a group of pages is one item of the list, its word is a button, Escape and the choice of a page close
// the menu, and the focus goes along into it and out of it. Streamlit draws it anew at its own times, hence the observer.
const PAGE = "[data-testid=stAppViewContainer]", MENU = "[data-testid=stSidebar]", WORD = "[data-testid=stNavSectionHeader]";
const OPEN = "[data-testid=stExpandSidebarButton]", CLOSE = "[data-testid=stSidebarCollapseButton] button";
const LINK = "[data-testid=stSidebarNavLink]";

// A group is a div of a header and items, which only a list may hold: they become plain parts of one item.
function mendGroup(header) {
  const items = [...header.parentElement.querySelectorAll("li")];
  header.parentElement.setAttribute("role", "listitem");
  items.forEach((item) => item.setAttribute("role", "none"));
  const word = header.firstElementChild;
  Object.assign(word, { role: "button", tabIndex: 0, ariaExpanded: String(items.length > 0) });
}

class PhoneMenu {
  constructor() {
    this.observer = new MutationObserver(() => this.look());
    this.observer.observe(document.querySelector(PAGE), { childList: true });
    this.look();
  }

  look() {
    const menu = document.querySelector(MENU);
    if (menu !== this.menu) this.adopt(menu);
    if (!menu) return;
    menu.querySelectorAll(WORD).forEach(mendGroup);
    const open = menu.dataset.collapsed === "false";
    if (open !== this.open) this.follow(open);
    this.open = open;
  }

  adopt(menu) {
    this.menu = menu;
    this.open = menu?.dataset.collapsed === "false";
    if (!menu) return;
    this.observer.observe(menu, { childList: true, subtree: true, attributeFilter: ["data-collapsed"] });
    menu.onkeydown = (event) => this.press(event);
    menu.onclick = ({ target }) => target.closest(LINK) && setTimeout(() => this.close()); // after Streamlit, which does so on phones
  }

  // The button that was pressed is gone by now, and the focus with it; where else it is, it stays.
  follow(open) {
    const focused = document.activeElement;
    if (focused !== document.body && !this.menu.contains(focused)) return;
    const links = open && (this.menu.querySelector(`${LINK}[aria-current]`) ?? this.menu.querySelector(LINK));
    (links || document.querySelector(OPEN))?.focus();
  }

  close() {
    this.menu?.querySelector(CLOSE)?.click();
  }

  press(event) {
    if (event.key === "Escape") this.close();
    if (!event.target.matches(`${WORD} > [role=button]`) || ![" ", "Enter"].includes(event.key)) return;
    event.preventDefault();
    event.target.click();
  }
}

export default function () {
  const menu = new PhoneMenu();
  return () => menu.observer.disconnect();
}
