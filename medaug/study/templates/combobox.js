// A text field with a list of suggestions, after the combobox pattern of the ARIA Authoring Practices.
// Calls chosen(name) when a name is chosen from the list or typed in full, and chosen(null) when the
// field is emptied or holds something that is not on the list.
const MOST_SHOWN = 40;

function combobox(field, list, status, search, chosen) {
  let found = [];
  let active = -1;

  function open() {
    const all = search(field.value);
    found = all.slice(0, MOST_SHOWN);
    list.replaceChildren(...found.map(option));
    list.hidden = found.length === 0;
    list.scrollTop = 0;
    field.setAttribute("aria-expanded", String(!list.hidden));
    status.textContent = report(all.length);
    activate(field.value.trim() && found.length ? 0 : -1);
  }

  function report(count) {
    if (count === 0) return "Nothing found. Try another word, or choose “other”.";
    if (count > MOST_SHOWN) return `${count} diagnoses, the first ${MOST_SHOWN} are shown. Type to narrow down.`;
    return count === 1 ? "1 diagnosis." : `${count} diagnoses.`;
  }

  function option(name, index) {
    const item = document.createElement("li");
    item.id = `${list.id}-${index}`;
    item.setAttribute("role", "option");
    item.textContent = readable(name);
    item.addEventListener("pointerdown", (event) => event.preventDefault()); // the field keeps the focus
    item.addEventListener("click", () => choose(name));
    return item;
  }

  function close() {
    list.hidden = true;
    field.setAttribute("aria-expanded", "false");
    status.textContent = "";
    activate(-1);
  }

  function activate(index) {
    active = index;
    [...list.children].forEach((item, i) => item.setAttribute("aria-selected", String(i === index)));
    if (index < 0) field.removeAttribute("aria-activedescendant");
    else {
      field.setAttribute("aria-activedescendant", list.children[index].id);
      list.children[index].scrollIntoView({ block: "nearest" });
    }
  }

  function choose(name) {
    field.value = readable(name);
    close();
    chosen(name, true);
  }

  function move(step) {
    if (list.hidden) open();
    if (found.length) activate(active < 0 ? (step > 0 ? 0 : found.length - 1) : (active + step + found.length) % found.length);
  }

  field.addEventListener("input", () => {
    open();
    chosen(search.exact(field.value), false);
  });
  field.addEventListener("click", () => (list.hidden ? open() : close()));
  field.addEventListener("blur", close);
  field.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") move(event.key === "ArrowDown" ? 1 : -1);
    else if (event.key === "Enter" && !list.hidden && active >= 0) choose(found[active]);
    else if (event.key === "Escape" && !list.hidden) close();
    else return;
    event.preventDefault();
  });
}
