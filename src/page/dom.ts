type Child = Node | string | undefined | false;

/** Attributes by name; what begins with `on` is a listener, what is undefined or false is left out. */
export type Attributes = Readonly<Record<string, string | number | boolean | ((event: never) => void) | undefined>>;

/** Makes an element. Text becomes text nodes: no way leads from a string to markup. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), (event) => value(event as never));
    else if (value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : String(value));
  }
  fill(element, children);
  return element;
}

/** Gives an element exactly these children; those that are there already are not touched, so that they keep focus. */
export function fill(parent: Element, children: readonly Child[]): void {
  let at = parent.firstChild;
  for (const child of children) {
    if (child === undefined || child === false) continue;
    const node = typeof child === "string" ? document.createTextNode(child) : child;
    if (node === at) at = at.nextSibling;
    else parent.insertBefore(node, at);
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

/** Writes a text where it differs. */
export function write(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** One of the page's few signs, drawn with lines in the colour of the text. */
export function icon(name: keyof typeof shapes): SVGSVGElement {
  const svg = document.createElementNS(svgNamespace, "svg");
  for (const [key, value] of Object.entries({ viewBox: "0 0 24 24", "aria-hidden": "true", class: "icon" }))
    svg.setAttribute(key, value);
  const path = document.createElementNS(svgNamespace, "path");
  path.setAttribute("d", shapes[name]);
  svg.append(path);
  return svg;
}

const svgNamespace = "http://www.w3.org/2000/svg";

const shapes = {
  menu: "M4 7h16M4 12h16M4 17h16",
  plus: "M12 5v14M5 12h14",
  send: "M12 19V5M6 11l6-6 6 6",
  stop: "M8 8h8v8H8z",
  picture: "M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15.500 9.500h.01",
  more: "M5 12h.01M12 12h.01M19 12h.01",
  down: "M12 5v14M6 13l6 6 6-6",
  close: "M6 6l12 12M18 6L6 18",
  pin: "M9 4h6l-1 6 3 3H7l3-3zM12 13v7",
  pulse: "M3 12h4l3-7 4 14 3-7h4",
  copy: "M9 9h10v10H9zM5 15V5h10",
} as const;
