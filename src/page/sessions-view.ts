import { openMenu } from "./dialogs.ts";
import { fill, h, icon, write } from "./dom.ts";
import type { Row, SessionList } from "./sessions.ts";
import { when } from "./words.ts";

export interface SessionsViewOptions {
  readonly open: (key: string) => void;
  readonly begin: () => void;
  readonly search: (text: string) => void;
  readonly showArchived: (archived: boolean) => void;
  readonly more: () => void;
  readonly rename: (row: Row) => void;
  readonly patch: (row: Row, patch: { pinned?: boolean; archived?: boolean }) => void;
  readonly remove: (row: Row) => void;
}

/** The list of conversations at the side. */
export function sessionsView(on: SessionsViewOptions): {
  readonly element: HTMLElement;
  focus(): void;
  update(list: SessionList, current: string | undefined): void;
} {
  const search = h("input", {
    type: "search",
    placeholder: "Search conversations",
    "aria-label": "Search conversations",
    "aria-keyshortcuts": "Control+K",
    oninput: () => on.search(search.value.trim()),
  });
  const begin = h("button", { type: "button", class: "wide", onclick: on.begin }, icon("plus"), "New chat");
  const rows = h("ul", { class: "rows" });
  const empty = h("p", { class: "faint" });
  const more = h("button", { type: "button", class: "quiet wide", onclick: on.more }, "Show more");
  const archived = h("input", { type: "checkbox", onchange: () => on.showArchived(archived.checked) });
  const foot = h("label", { class: "check" }, archived, "Archived");
  const list = h("div", { class: "scroll" }, rows, empty, more);
  const element = h("nav", { class: "side", "aria-label": "Conversations" }, begin, search, list, foot);
  const items = new Map<string, Item>();

  return {
    element,
    focus: () => search.focus(),
    update({ rows: shown, hasMore, search: asked, archived: old }, current) {
      for (const key of items.keys()) if (!shown.some((row) => row.key === key)) items.delete(key);
      const nodes = shown.map((row) => {
        const item = items.get(row.key) ?? rowItem(on);
        items.set(row.key, item);
        item.update(row, row.key === current);
        return item.element;
      });
      fill(rows, nodes);
      const nothing = asked
        ? "Nothing has these words in its name."
        : old
          ? "Nothing is archived."
          : "Nothing was said yet.";
      write(empty, shown.length > 0 ? "" : nothing);
      more.hidden = !hasMore;
    },
  };
}

interface Item {
  readonly element: HTMLElement;
  readonly update: (row: Row, isCurrent: boolean) => void;
}

function rowItem(on: SessionsViewOptions): Item {
  let row: Row | undefined;
  const title = h("span", { class: "title" });
  const time = h("time", { class: "faint" });
  const mark = h("span", { class: "mark" });
  const open = h(
    "button",
    { type: "button", class: "open", onclick: () => row && on.open(row.key) },
    mark,
    title,
    time,
  );
  const more = h(
    "button",
    {
      type: "button",
      class: "bare more",
      "aria-haspopup": "menu",
      onclick: () => row && openMenu(more, choices(row, on)),
    },
    icon("more"),
  );
  const element = h("li", {}, open, more);
  return {
    element,
    update(next, isCurrent) {
      row = next;
      write(title, next.title);
      title.title = next.title;
      write(time, next.at > 0 ? when(next.at, Date.now()) : "");
      element.classList.toggle("current", isCurrent);
      if (isCurrent) open.setAttribute("aria-current", "true");
      else open.removeAttribute("aria-current");
      const state = next.running ? "running" : next.unread && !isCurrent ? "unread" : next.pinned ? "pinned" : "";
      if (mark.dataset["state"] !== state) {
        mark.dataset["state"] = state;
        mark.replaceChildren(...(state === "pinned" ? [icon("pin")] : []));
        mark.setAttribute("aria-label", state);
        mark.setAttribute("role", state ? "img" : "presentation");
      }
      more.setAttribute("aria-label", `Actions for ${next.title}`);
    },
  };
}

function choices(row: Row, on: SessionsViewOptions) {
  return [
    { label: "Rename", run: () => on.rename(row) },
    { label: row.pinned ? "Unpin" : "Pin", run: () => on.patch(row, { pinned: !row.pinned }) },
    { label: row.archived ? "Unarchive" : "Archive", run: () => on.patch(row, { archived: !row.archived }) },
    ...(row.isMain ? [] : [{ label: "Delete", isDangerous: true, run: () => on.remove(row) }]),
  ];
}
