import { Failure } from "../kit/error.ts";
import type { PageFile } from "./page-files.ts";
import type { Route, RouteCall } from "./route.ts";

/** The web page. It holds nothing of anybody's: whoever opens it proves who it is over the WebSocket. */
export const pageRoutes: readonly Route[] = [
  {
    path: "/*",
    methods: ["GET", "HEAD"],
    summary: "The web page, below `gateway.controlUi.basePath` unless `gateway.controlUi.enabled` is false.",
    handle: page,
  },
];

/** The path of the page from `gateway.controlUi.basePath`: empty, or with a slash before and none behind. */
export function pageBase(basePath: string): string {
  return basePath
    .split("/")
    .filter((part) => part !== "")
    .map((part) => `/${part}`)
    .join("");
}

async function page({ app, request }: RouteCall): Promise<Response> {
  const { enabled, basePath } = app.config.current().value.gateway.controlUi;
  const name = nameIn(pageBase(basePath), new URL(request.url).pathname);
  if (!app.page || !enabled || name === undefined) return notFound();
  // Relative names in the page start from here.
  if (name === "") return new Response(null, { status: 308, headers: { location: `${pageBase(basePath)}/` } });
  try {
    const file = (await app.page()).get(name === "/" ? "index.html" : name.slice(1));
    return file ? answer(request, file) : notFound();
  } catch (error) {
    const failure = Failure.from(error);
    app.log.warn("the web page cannot be served", { error: failure.message });
    // Whoever asks is not known: where folders are is for the log.
    return plain(503, ["The web page cannot be served; the gateway's log says why.", ...failure.hints].join("\n"));
  }
}

/** The path of a file below the page, with its slash; empty for the page's own path without one. */
function nameIn(base: string, pathname: string): string | undefined {
  return pathname === base || pathname.startsWith(`${base}/`) ? pathname.slice(base.length) : undefined;
}

/**
 * Nothing but what this gateway serves itself is ever loaded, run or connected to, and nothing written into the document
 * is run (threat R). `'self'` is the WebSocket of the same origin too (CSP 3, 6.7.2.8).
 */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob: data:",
  "connect-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join("; ");

function answer(request: Request, file: PageFile): Response {
  const packed = file.gzip && acceptsGzip(request.headers.get("accept-encoding") ?? "") ? file.gzip : undefined;
  const etag = packed ? file.etag.replace(/"$/, '-gzip"') : file.etag;
  const headers = {
    etag,
    "cache-control": file.lasting ? "public, max-age=31536000, immutable" : "no-cache",
    "content-security-policy": policy,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    ...(file.gzip ? { vary: "accept-encoding" } : {}),
  };
  if (names(request.headers.get("if-none-match") ?? "", etag)) return new Response(null, { status: 304, headers });
  return new Response(request.method === "HEAD" ? null : (packed ?? file.bytes), {
    headers: { ...headers, "content-type": file.type, ...(packed ? { "content-encoding": "gzip" } : {}) },
  });
}

/** RFC 9110 12.5.3, as far as browsers use it: `gzip`, and not `gzip;q=0`. */
function acceptsGzip(header: string): boolean {
  return /(^|,)\s*(gzip|\*)\s*(;\s*q=(?!0(\.0*)?\s*(,|$))[\d.]+\s*)?(,|$)/i.test(header);
}

/** RFC 9110 13.1.2: a list of tags, weak ones alike, or `*`. */
function names(header: string, etag: string): boolean {
  return header.split(",").some((each) => ["*", etag].includes(each.trim().replace(/^W\//, "")));
}

function notFound(): Response {
  return plain(404, "Not Found");
}

function plain(status: number, text: string): Response {
  return new Response(text, { status, headers: { "content-type": "text/plain; charset=utf-8" } });
}
