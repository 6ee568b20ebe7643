import { fill, h, icon, write } from "./dom.ts";
import type { ModelChoice } from "./models.ts";

export interface HeadOptions {
  readonly showSide: () => void;
  readonly showStatus: () => void;
  /** Null takes the choice back. */
  readonly chooseModel: (model: string | null) => void;
  readonly chooseThinking: (level: string | null) => void;
}

export interface HeadState {
  readonly title: string;
  readonly choice: ModelChoice;
  /** Devices that wait for approval. */
  readonly pending: number;
}

/** The line above a conversation: what it is called, which model answers, and the way to the status. */
export function headView(on: HeadOptions): { readonly element: HTMLElement; update(state: HeadState): void } {
  const title = h("h1", { class: "title" });
  const model = select("Model", on.chooseModel);
  const thinking = select("Thinking", on.chooseThinking);
  const side = h(
    "button",
    { type: "button", class: "bare side-button", "aria-label": "Conversations", onclick: on.showSide },
    icon("menu"),
  );
  const count = h("span", { class: "count" });
  const status = h("button", { type: "button", class: "bare", onclick: on.showStatus }, icon("pulse"), count);
  const element = h("header", { class: "head" }, side, title, model.element, thinking.element, status);
  return {
    element,
    update({ title: text, choice, pending }) {
      write(title, text);
      model.update(choice.models, choice.model);
      thinking.update(choice.levels, choice.level);
      write(count, pending > 0 ? String(pending) : "");
      count.hidden = pending === 0;
      const label = pending > 0 ? `Status, ${pending} waiting for approval` : "Status";
      status.setAttribute("aria-label", label);
      status.title = label;
    },
  };
}

interface Option {
  readonly value: string;
  readonly label: string;
  readonly disabled?: boolean;
}

/** A native list of choices; its first one, with an empty value, is the default. */
function select(label: string, choose: (value: string | null) => void) {
  const element = h("select", { "aria-label": label, title: label, onchange: () => choose(element.value || null) });
  let shown = "";
  return {
    element,
    update(options: readonly Option[], value: string) {
      element.hidden = options.length < 2;
      const told = JSON.stringify(options);
      if (told !== shown) {
        shown = told;
        fill(
          element,
          options.map((each) => h("option", { value: each.value, disabled: each.disabled }, each.label)),
        );
      }
      element.value = value;
    },
  };
}
