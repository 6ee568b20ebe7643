import { fill, h, icon } from "./dom.ts";
import type { Attachment } from "./room.ts";
import { matching, type SlashCommand } from "./slash.ts";

export interface ComposerOptions {
  readonly send: (text: string, attachments: readonly Attachment[]) => void;
  readonly stop: () => void;
  /** What was written and not sent, kept for each conversation. */
  readonly keepDraft: (text: string) => void;
  readonly trouble: (text: string) => void;
}

export interface Composer {
  readonly element: HTMLElement;
  readonly focus: () => void;
  /** Puts a text there, as if it had been written. */
  readonly write: (text: string) => void;
  /** Takes files that were dropped on the page. */
  readonly attach: (files: Iterable<File>) => void;
  readonly update: (state: {
    isRunning: boolean;
    canSend: boolean;
    commands: readonly SlashCommand[];
    maxPicture: number;
  }) => void;
}

const mostPictures = 5;
const pictureTypes = /^image\/(png|jpeg|gif|webp)$/;

/** Where one writes. Enter sends, Shift and Enter begin a new line, Escape stops what goes on. */
export function composerView(on: ComposerOptions): Composer {
  let commands: readonly SlashCommand[] = [];
  let offered: readonly SlashCommand[] = [];
  let chosen = 0;
  let attachments: readonly Attachment[] = [];
  let maxPicture = 0;
  let isRunning = false;
  let canSend = true;

  const area = h("textarea", {
    rows: 1,
    placeholder: "Message",
    "aria-label": "Message",
    "aria-autocomplete": "list",
    "aria-controls": "commands",
    enterkeyhint: "send",
    oninput: changed,
    onkeydown: keyed,
    onpaste: pasted,
    onblur: () => offer([]),
  });
  const list = h("ul", { id: "commands", role: "listbox", class: "commands", "aria-label": "Commands" });
  const pictures = h("div", { class: "pictures" });
  const file = h("input", {
    type: "file",
    accept: "image/png,image/jpeg,image/gif,image/webp",
    multiple: true,
    hidden: true,
    onchange: picked,
  });
  const add = h(
    "button",
    {
      type: "button",
      class: "bare",
      "aria-label": "Attach pictures",
      title: "Attach pictures",
      onclick: () => file.click(),
    },
    icon("picture"),
  );
  const send = h(
    "button",
    { type: "submit", class: "round primary", "aria-label": "Send", title: "Send" },
    icon("send"),
  );
  const stop = h(
    "button",
    { type: "button", class: "round", "aria-label": "Stop", title: "Stop (Esc)", onclick: on.stop },
    icon("stop"),
  );
  const submit = (event: Event) => {
    event.preventDefault();
    submitted();
  };
  const element = h(
    "form",
    { class: "composer", onsubmit: submit },
    list,
    pictures,
    h("div", { class: "line" }, add, area, stop, send),
    file,
  );
  list.hidden = true;

  function changed(): void {
    area.style.height = "auto";
    area.style.height = `${Math.min(area.scrollHeight, 240)}px`;
    on.keepDraft(area.value);
    offer(matching(commands, area.value));
    buttons();
  }

  function buttons(): void {
    const isEmpty = area.value.trim() === "" && attachments.length === 0;
    send.disabled = isEmpty || !canSend;
    stop.hidden = !isRunning;
    send.hidden = isRunning && isEmpty;
  }

  function submitted(): void {
    const text = area.value.trim();
    if (send.disabled || (text === "" && attachments.length === 0)) return;
    const sent = attachments;
    attachments = [];
    area.value = "";
    showPictures();
    changed();
    on.send(text, sent);
  }

  function keyed(event: KeyboardEvent): void {
    // Enter also ends the choice of a word in languages that are written so.
    if (event.isComposing) return;
    if (offered.length > 0 && choosing(event)) return event.preventDefault();
    if (event.key === "Enter" && !event.shiftKey && !event.altKey) {
      event.preventDefault();
      submitted();
    }
  }

  function choosing({ key, shiftKey }: KeyboardEvent): boolean {
    const pick = offered[chosen];
    if (key === "ArrowDown" || key === "ArrowUp") {
      offer(offered, (chosen + (key === "ArrowDown" ? 1 : -1) + offered.length) % offered.length);
      return true;
    }
    if (key === "Escape") {
      offer([]);
      return true;
    }
    // A command that is there in full is sent.
    if (!pick || shiftKey || (key !== "Tab" && (key !== "Enter" || area.value === `/${pick.name}`))) return false;
    choose(pick);
    return true;
  }

  function choose({ name, takesArguments }: SlashCommand): void {
    area.value = `/${name}${takesArguments ? " " : ""}`;
    changed();
    offer([]);
    area.focus();
  }

  function offer(next: readonly SlashCommand[], at = 0): void {
    offered = next;
    chosen = at;
    list.hidden = next.length === 0;
    const items = next.map((command, index) => {
      const press = (event: Event) => {
        // Before the field loses its focus, and this list with it.
        event.preventDefault();
        choose(command);
      };
      const attributes = {
        role: "option",
        id: `command-${index}`,
        "aria-selected": String(index === at),
        onpointerdown: press,
      };
      return h("li", attributes, h("strong", {}, `/${command.name}`), h("span", {}, command.description));
    });
    list.replaceChildren(...items);
    if (next.length > 0) area.setAttribute("aria-activedescendant", `command-${at}`);
    else area.removeAttribute("aria-activedescendant");
    items[at]?.scrollIntoView({ block: "nearest" });
  }

  function pasted(event: ClipboardEvent): void {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length === 0) return;
    event.preventDefault();
    attach(files);
  }

  function picked(): void {
    attach([...(file.files ?? [])]);
    file.value = "";
  }

  function attach(files: Iterable<File>): void {
    for (const each of files) void take(each);
  }

  async function take(each: File): Promise<void> {
    if (!pictureTypes.test(each.type)) return on.trouble(`${each.name}: pictures only, as PNG, JPEG, GIF or WebP.`);
    if (each.size > maxPicture)
      return on.trouble(`${each.name} has more than ${Math.floor(maxPicture / 1_000_000)} MB.`);
    if (attachments.length >= mostPictures) return on.trouble(`At most ${mostPictures} pictures go with a message.`);
    const content = base64(new Uint8Array(await each.arrayBuffer()));
    const preview = URL.createObjectURL(each);
    attachments = [...attachments, { fileName: each.name, mimeType: each.type, content, preview }];
    showPictures();
    buttons();
  }

  function showPictures(): void {
    const nodes = attachments.map((each) => {
      const remove = () => {
        attachments = attachments.filter((other) => other !== each);
        URL.revokeObjectURL(each.preview);
        showPictures();
        buttons();
      };
      const label = `Remove ${each.fileName}`;
      const cross = h("button", { type: "button", class: "bare", "aria-label": label, onclick: remove }, icon("close"));
      return h("figure", {}, h("img", { src: each.preview, alt: each.fileName }), cross);
    });
    fill(pictures, nodes);
  }

  return {
    element,
    attach,
    focus: () => area.focus(),
    write(text) {
      area.value = text;
      changed();
      offer([]);
    },
    update(state) {
      ({ commands, maxPicture, isRunning, canSend } = state);
      buttons();
    },
  };
}

function base64(bytes: Uint8Array): string {
  let text = "";
  // In pieces: a call takes only so many arguments.
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(text);
}
