import { h } from "./dom.ts";

export interface Question {
  readonly title: string;
  readonly text?: string;
  /** Asks for a line of text, with this in it. */
  readonly field?: { readonly label: string; readonly value: string };
  /** What the button does, in a word or two. */
  readonly action: string;
  readonly isDangerous?: boolean;
}

/** Asks in front of everything else; answers the field's text, or an empty one without a field, or undefined for no. */
export function ask({ title, text, field, action, isDangerous = false }: Question): Promise<string | undefined> {
  const input =
    field && h("input", { value: field.value, maxlength: 200, "aria-label": field.label, autocomplete: "off" });
  const yes = h("button", { type: "submit", class: isDangerous ? "danger" : "primary" }, action);
  const no = h("button", { type: "button", onclick: () => dialog.close("") }, "Cancel");
  const accept = (event: Event) => {
    event.preventDefault();
    dialog.close("yes");
  };
  const form = h(
    "form",
    { onsubmit: accept },
    h("h2", {}, title),
    text && h("p", {}, text),
    input,
    h("div", { class: "actions" }, no, yes),
  );
  const dialog = h("dialog", { class: "card", "aria-label": title }, form);
  document.body.append(dialog);
  dialog.showModal();
  input?.select();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes" ? (input?.value ?? "") : undefined);
    });
  });
}

export interface Choice {
  readonly label: string;
  readonly isDangerous?: boolean;
  readonly run: () => void;
}

/** Opens a menu below a button; it closes by Escape, a choice, or a click elsewhere. */
export function openMenu(button: HTMLElement, choices: readonly Choice[]): void {
  const items = choices.map(({ label, run, isDangerous }) =>
    h(
      "button",
      {
        type: "button",
        role: "menuitem",
        class: isDangerous ? "dangerous" : undefined,
        onclick: () => {
          menu.hidePopover();
          run();
        },
      },
      label,
    ),
  );
  const move = (event: KeyboardEvent) => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step === 0) return;
    event.preventDefault();
    const at = items.findIndex((item) => item === document.activeElement);
    items[(at + step + items.length) % items.length]?.focus();
  };
  const menu = h("div", { class: "menu", popover: "auto", role: "menu", onkeydown: move }, ...items);
  menu.addEventListener("toggle", (event) => {
    if (!("newState" in event) || event.newState !== "closed") return;
    button.setAttribute("aria-expanded", "false");
    menu.remove();
    if (document.activeElement === document.body) button.focus();
  });
  document.body.append(menu);
  button.setAttribute("aria-expanded", "true");
  menu.showPopover();
  const { left, bottom, top } = button.getBoundingClientRect();
  const { offsetWidth, offsetHeight } = menu;
  const below = bottom + 4;
  menu.style.left = `${Math.max(8, Math.min(left, innerWidth - offsetWidth - 8))}px`;
  menu.style.top = `${below + offsetHeight > innerHeight - 8 ? Math.max(8, top - offsetHeight - 4) : below}px`;
  items[0]?.focus();
}

/** Says something in a corner for a moment, and to screen readers. */
export function createNotices(): { readonly element: HTMLElement; say(text: string): void } {
  const element = h("div", { class: "notices", role: "status" });
  let clear: ReturnType<typeof setTimeout> | undefined;
  return {
    element,
    say(text) {
      clearTimeout(clear);
      element.replaceChildren(h("p", {}, text));
      clear = setTimeout(() => element.replaceChildren(), 4000 + text.length * 40);
    },
  };
}
