import { fill, h, icon, write } from "./dom.ts";
import { markdownView } from "./markdown-view.ts";
import { gistOf, type Part, type Picture, type Turn } from "./turns.ts";
import { brief, when } from "./words.ts";

export interface TurnViewOptions {
  readonly copy: (text: string) => void;
  /** Where the page has a picture that it sent itself. */
  readonly preview: (picture: Picture) => string | undefined;
}

export interface View<T> {
  readonly element: HTMLElement;
  readonly update: (value: T) => void;
}

/** One turn of a conversation. */
export function turnView(kind: Turn["kind"], on: TurnViewOptions): View<Turn> {
  return kind === "assistant" ? assistantView(on) : kind === "user" ? userView(on) : noteView();
}

/** The words and pictures of a message of one's own. */
export function bubble(text: string, pictures: readonly { name: string; address: string | undefined }[]): HTMLElement {
  const shown = pictures.map(({ name, address }) =>
    address === undefined
      ? h("span", { class: "chip" }, icon("picture"), name)
      : h("img", { src: address, alt: name, decoding: "async" }),
  );
  return h("div", { class: "bubble" }, ...shown, text === "" ? undefined : h("p", {}, text));
}

/** The parts of an answer, told again as it grows. */
export function partsView(on: Pick<TurnViewOptions, "copy">): View<readonly Part[]> {
  const element = h("div", { class: "parts" });
  let views: (View<Part> & { readonly kind: Part["kind"] })[] = [];
  return {
    element,
    update(parts) {
      views = parts.map((part, index) => {
        const old = views[index];
        const view = old?.kind === part.kind ? old : { kind: part.kind, ...partView(part.kind, on) };
        view.update(part);
        return view;
      });
      fill(
        element,
        views.map((view) => view.element),
      );
    },
  };
}

function userView({ preview }: TurnViewOptions): View<Turn> {
  const element = h("article", { class: "turn user" });
  return {
    element,
    update(turn) {
      if (turn.kind !== "user") return;
      const pictures = turn.pictures.map((picture) => ({ name: picture.name, address: preview(picture) }));
      fill(element, [h("h3", { class: "unseen" }, "You"), bubble(turn.text, pictures), time(turn.at)]);
    },
  };
}

function assistantView(on: TurnViewOptions): View<Turn> {
  const parts = partsView(on);
  const error = h("p", { class: "wrong" });
  const foot = h("footer", { class: "foot" });
  const heading = h("h3", { class: "unseen" }, "Assistant");
  const element = h("article", { class: "turn assistant" }, heading, parts.element, error, foot);
  return {
    element,
    update(turn) {
      if (turn.kind !== "assistant") return;
      parts.update(turn.parts);
      write(error, turn.error ?? "");
      error.hidden = turn.error === undefined;
      const text = turn.parts.flatMap((part) => (part.kind === "text" ? [part.text] : [])).join("\n\n");
      const copy = h("button", { type: "button", class: "quiet", onclick: () => on.copy(text) }, icon("copy"), "Copy");
      fill(foot, [
        time(turn.at),
        turn.model === "" ? undefined : h("span", {}, turn.model),
        text === "" ? undefined : copy,
      ]);
    },
  };
}

function noteView(): View<Turn> {
  const element = h("p", { class: "turn note" });
  return { element, update: (turn) => write(element, turn.kind === "note" ? turn.text : "") };
}

function partView(kind: Part["kind"], on: Pick<TurnViewOptions, "copy">): View<Part> {
  if (kind === "tool") return toolView();
  const markdown = markdownView(on.copy);
  const update = (part: Part) => part.kind !== "tool" && markdown.update(part.text);
  if (kind === "text") return { element: markdown.element, update };
  const element = h("details", { class: "fold" }, h("summary", {}, "Thinking"), markdown.element);
  return { element, update };
}

/** Longer results are read elsewhere. */
const maxShown = 20_000;

function toolView(): View<Part> {
  const name = h("span", { class: "name" });
  const gist = h("span", { class: "gist" });
  const state = h("span", { class: "state" });
  const input = h("pre", { tabindex: 0 });
  const output = h("pre", { tabindex: 0 });
  const summary = h("summary", {}, state, name, gist);
  const element = h(
    "details",
    { class: "fold tool" },
    summary,
    h("h4", {}, "Input"),
    input,
    h("h4", {}, "Result"),
    output,
  );
  return {
    element,
    update(part) {
      if (part.kind !== "tool") return;
      const { result } = part;
      const how = result === undefined ? "running" : result.isError ? "failed" : "done";
      element.dataset["state"] = how;
      state.setAttribute("aria-label", how);
      state.setAttribute("role", "img");
      write(name, part.name);
      write(gist, brief(gistOf(part.args), 120));
      write(input, JSON.stringify(part.args, null, 2).slice(0, maxShown));
      write(output, result === undefined ? "…" : result.text.slice(0, maxShown) || "(nothing)");
    },
  };
}

function time(at: number): HTMLElement | undefined {
  if (at <= 0) return undefined;
  const then = new Date(at);
  return h("time", { datetime: then.toISOString(), title: then.toLocaleString() }, when(at, Date.now()));
}
