import type { Host } from "../host/host.ts";
import { join } from "../host/paths.ts";

/**
 * The `PATH` of a service, where its tools look for programs (cli.md 3.2): short and made of what is there, not the one
 * of the terminal that happened to install it, whose version managers come and go. Windows has no such list: there it is
 * the one of the person who installs.
 */
export async function servicePath(host: Pick<Host, "os" | "env" | "home" | "files">): Promise<string> {
  if (host.os === "windows") {
    const own = Object.entries(host.env).find(([name]) => name.toUpperCase() === "PATH")?.[1] ?? "";
    return own.replaceAll('"', "");
  }
  const personal = host.os === "linux" ? ofAPerson.map((folder) => join(host.home, folder)) : [];
  const homebrew = host.os === "darwin" ? ["/opt/homebrew/bin"] : [];
  const found = await Promise.all(
    [...personal, ...homebrew].map(async (folder) => ((await host.files.stat(folder)) ? [folder] : [])),
  );
  return [...found.flat(), "/usr/local/bin", "/usr/bin", "/bin"].join(":");
}

const ofAPerson = [
  ".local/bin",
  ".npm-global/bin",
  "bin",
  ".nvm/current/bin",
  ".fnm/current/bin",
  ".volta/bin",
  ".asdf/shims",
  ".local/share/pnpm",
  ".bun/bin",
];
