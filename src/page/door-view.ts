import { fill, h, icon } from "./dom.ts";
import type { LinkState } from "./link.ts";

export interface DoorOptions {
  readonly signIn: (secret: string) => void;
  readonly hurry: () => void;
  readonly copy: (text: string) => void;
}

/** What stands in the place of the page while there is no connection and never was one. */
export function doorView(on: DoorOptions): { readonly element: HTMLElement; update(state: LinkState): void } {
  const card = h("section", { class: "card", "aria-live": "polite" });
  const element = h("main", { class: "door" }, h("h1", {}, "Clawlet"), card);
  let shown = "";
  return {
    element,
    update(state) {
      // The same state told again leaves what somebody is typing alone.
      const told = JSON.stringify(state.kind === "ready" ? "" : { ...state, retryAt: 0 });
      if (told === shown) return;
      shown = told;
      fill(card, contents(state, on));
      card.querySelector("input")?.focus();
    },
  };
}

function contents(state: LinkState, on: DoorOptions): readonly (Node | undefined)[] {
  switch (state.kind) {
    case "sign-in":
      return [signInForm(state, on)];
    case "pairing": {
      const command = `clawlet devices approve ${state.requestId}`;
      const copy = h(
        "button",
        { type: "button", class: "quiet", onclick: () => on.copy(command) },
        icon("copy"),
        "Copy",
      );
      return [
        h("h2", {}, "Waiting for approval"),
        h("p", {}, `${state.why} Approve it on the gateway's machine:`),
        h(
          "figure",
          { class: "code" },
          h("figcaption", {}, h("span", {}, "terminal"), copy),
          h("pre", {}, h("code", {}, command)),
        ),
        h("p", { class: "faint" }, "or on a page that is connected, under Status. This one goes on by itself."),
        busy(),
      ];
    }
    case "stopped":
      return [
        h("h2", {}, "Not connected"),
        h("p", {}, state.why),
        h("p", { class: "faint" }, state.advice),
        h(
          "div",
          { class: "actions" },
          h("button", { type: "button", class: "primary", onclick: on.hurry }, "Try again"),
        ),
      ];
    case "away":
      return [
        h("h2", {}, "Not connected"),
        h("p", {}, state.why),
        h("p", { class: "faint" }, "It is tried again all the time."),
        busy(),
        h("div", { class: "actions" }, h("button", { type: "button", onclick: on.hurry }, "Try now")),
      ];
    default:
      return [h("p", { class: "faint" }, "Connecting…"), busy()];
  }
}

function signInForm({ wants, why }: Extract<LinkState, { kind: "sign-in" }>, on: DoorOptions): HTMLElement {
  const input = h("input", {
    type: "password",
    id: "secret",
    name: "secret",
    autocomplete: "current-password",
    required: true,
  });
  const submit = (event: Event) => {
    event.preventDefault();
    if (input.value.trim() !== "") on.signIn(input.value.trim());
  };
  return h(
    "form",
    { onsubmit: submit },
    h("h2", {}, "Sign in"),
    why && h("p", { class: "wrong", role: "alert" }, why),
    h("label", { for: "secret" }, wants === "token" ? "Gateway token" : "Gateway password"),
    input,
    h(
      "p",
      { class: "faint" },
      `It is gateway.auth.${wants} of the configuration: `,
      h("code", {}, "clawlet config file"),
      " says where that is.",
    ),
    h("div", { class: "actions" }, h("button", { type: "submit", class: "primary" }, "Sign in")),
  );
}

function busy(): HTMLElement {
  return h("div", { class: "busy", role: "presentation" });
}
