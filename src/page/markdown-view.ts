import { h, icon } from "./dom.ts";
import { sectionsOf, type Block } from "../kit/markdown.ts";
import type { Inline } from "../kit/markdown-inline.ts";

/** Shows Markdown in an element. What did not change since the last time keeps its nodes, and with them what is selected. */
export function markdownView(copy: (text: string) => void): {
  readonly element: HTMLElement;
  update(text: string): void;
} {
  const element = h("div", { class: "markdown" });
  let shown: readonly { readonly source: string; readonly node: Node }[] = [];
  return {
    element,
    update(text) {
      const sections = sectionsOf(text);
      const next = sections.map(({ source, block }, index) => {
        const old = shown[index];
        return old?.source === source ? old : { source, node: blockNode(block(), copy) };
      });
      for (const [index, { node }] of next.entries()) {
        const old = shown[index];
        if (!old) element.append(node);
        else if (old.node !== node) element.replaceChild(node, old.node);
      }
      for (const { node } of shown.slice(next.length)) element.removeChild(node);
      shown = next;
    },
  };
}

function blockNode(block: Block, copy: (text: string) => void): Node {
  const blocks = (inner: readonly Block[]) => inner.map((each) => blockNode(each, copy));
  switch (block.kind) {
    case "paragraph":
      return h("p", {}, ...inlineNodes(block.inside));
    case "heading":
      // The page has its own first and second level.
      return h(`h${Math.min(6, block.level + 2)}` as "h3", {}, ...inlineNodes(block.inside));
    case "code":
      return codeNode(block.language, block.text, copy);
    case "quote":
      return h("blockquote", {}, ...blocks(block.blocks));
    case "list": {
      const items = block.items.map((item) => h("li", {}, ...tight(item, copy)));
      return block.start === undefined ? h("ul", {}, ...items) : h("ol", { start: block.start }, ...items);
    }
    case "table": {
      const row = (cells: readonly (readonly Inline[])[], tag: "th" | "td") =>
        h("tr", {}, ...cells.map((cell) => h(tag, {}, ...inlineNodes(cell))));
      const head = h("thead", {}, row(block.head, "th"));
      const body = h("tbody", {}, ...block.rows.map((cells) => row(cells, "td")));
      return h(
        "div",
        { class: "table", tabindex: 0, role: "region", "aria-label": "Table" },
        h("table", {}, head, body),
      );
    }
    default:
      return h("hr");
  }
}

/** An item of one paragraph stands in its line. */
function tight(item: readonly Block[], copy: (text: string) => void): readonly Node[] {
  return item.flatMap((block, index) =>
    block.kind === "paragraph" && index === 0 ? inlineNodes(block.inside) : [blockNode(block, copy)],
  );
}

function codeNode(language: string, text: string, copy: (text: string) => void): Node {
  const button = h("button", { type: "button", class: "quiet", onclick: () => copy(text) }, icon("copy"), "Copy");
  const code = h("pre", { tabindex: 0 }, h("code", {}, text));
  return h("figure", { class: "code" }, h("figcaption", {}, h("span", {}, language || "text"), button), code);
}

function inlineNodes(inside: readonly Inline[]): readonly Node[] {
  return inside.map((inline) => {
    switch (inline.kind) {
      case "text":
        return document.createTextNode(inline.text);
      case "code":
        return h("code", {}, inline.text);
      case "break":
        return h("br");
      case "strong":
        return h("strong", {}, ...inlineNodes(inline.inside));
      case "em":
        return h("em", {}, ...inlineNodes(inline.inside));
      case "strike":
        return h("s", {}, ...inlineNodes(inline.inside));
      default:
        return h(
          "a",
          { href: inline.href, target: "_blank", rel: "noopener noreferrer nofollow" },
          ...inlineNodes(inline.inside),
        );
    }
  });
}
