import type { Host } from "../host/host.ts";

/** Where a browser that speaks the DevTools Protocol lies on this machine; undefined where none is found. */
export async function findBrowser({
  os,
  env,
  files,
}: Pick<Host, "os" | "env"> & { readonly files?: Pick<Host["files"], "stat"> | undefined }): Promise<
  string | undefined
> {
  if (!files || os === "windows" || os === "none") return undefined;
  const folders = (env["PATH"] ?? "").split(":").filter((folder) => folder.startsWith("/"));
  const named = names.flatMap((name) => folders.map((folder) => `${folder}/${name}`));
  for (const path of os === "darwin" ? [...apps, ...named] : named) {
    const found = await files.stat(path).catch(() => undefined); // a folder that may not be looked into has none for us
    if (found?.kind === "file") return path;
  }
  return undefined;
}

const names = [
  "chromium",
  "chromium-browser",
  "google-chrome",
  "google-chrome-stable",
  "brave-browser",
  "microsoft-edge",
];

const apps = ["Google Chrome", "Chromium", "Brave Browser", "Microsoft Edge"].map(
  (name) => `/Applications/${name}.app/Contents/MacOS/${name}`,
);
