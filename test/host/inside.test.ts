import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { files as realFiles } from "../../adapters/machine/files.ts";
import { inside, stillInside } from "../../src/host/inside.ts";
import { Failure } from "../../src/kit/error.ts";
import { createMemoryFiles } from "../support/memory-files.ts";

const folder = "/home/me/clawd";
const disk = createMemoryFiles();
disk.put(`${folder}/a.md`, "");
disk.put("/home/me/secret", "");
disk.put("/home/me/clawd-other/a", "");

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return "allowed";
  } catch (error) {
    return Failure.from(error).code;
  }
}

test("a path is found where it is, or where it would come to be", async () => {
  assert.equal(await inside(disk, folder, "a.md"), { path: `${folder}/a.md`, name: "a.md", exists: true });
  assert.equal(await inside(disk, folder, "x/./y"), { path: `${folder}/x/y`, name: "x/y", exists: false });
  assert.equal(await inside(disk, folder, "."), { path: folder, name: ".", exists: true });
  assert.is(await codeOf(inside(disk, "/home/me/gone", "a")), "not-found");
});

test("threat M nothing outside the folder is reached by text", async () => {
  for (const path of [
    "../secret",
    "x/../../secret",
    "..\\secret",
    "x/..",
    "/home/me/secret",
    "/home/me/clawd-other/a",
    `${folder}/../secret`,
    "/etc/passwd",
    "C:\\Windows\\win.ini",
    "c:/windows",
  ])
    assert.is(await codeOf(inside(disk, folder, path)), "forbidden", path);
  // Without a drive or a root of its own, a leading backslash means the folder.
  assert.is((await inside(disk, folder, "\\etc\\passwd")).path, `${folder}/etc/passwd`);
});

test("threat M what is no path in a folder is refused", async () => {
  for (const path of [
    "",
    "  ",
    "a\0b",
    "a\nb",
    "~",
    "~/secret",
    "~root/x",
    "file:///etc/passwd",
    "FILE:/etc/passwd",
    "https://example.com/x",
    "//server/share/x",
    "\\\\server\\share\\x",
    "\\\\?\\C:\\x",
    "\\\\.\\pipe\\x",
    "C:secret",
    "a.md:stream",
    "x".repeat(1025),
    "é".repeat(128),
    "CON",
    "nul.txt",
    "x/aux",
    "COM1.log",
    "lpt9",
    "con .txt",
    "trailing.",
    "trailing ",
  ])
    assert.is(await codeOf(inside(disk, folder, path)), "invalid-request", JSON.stringify(path));
});

test("threat M on Windows a device is refused though the system says that it is there", async () => {
  const windows = {
    ...disk,
    realPath: async (path: string) => (/^C:[\\/]ws/.test(path) ? path.replaceAll("/", "\\") : undefined),
  };
  assert.equal(await inside(windows, "C:\\ws", "a\\b"), { path: "C:/ws/a/b", name: "a/b", exists: true });
  assert.is(await codeOf(inside(windows, "C:\\ws", "a/NUL")), "invalid-request");
  assert.is(await codeOf(inside(windows, "C:\\ws", "a.md.")), "invalid-request");
});

test("a file of such a name that is there elsewhere can be used", async () => {
  disk.put(`${folder}/linux/aux.c`, "");
  assert.is((await inside(disk, folder, "linux/aux.c")).exists, true);
});

test("threat M links that leave the folder are refused, those that stay are followed", async () => {
  const at = realpathSync(mkdtempSync(join(tmpdir(), "inside-")));
  try {
    const root = join(at, "ws");
    mkdirSync(join(root, "notes"), { recursive: true });
    mkdirSync(join(at, "out"));
    writeFileSync(join(at, "out", "secret"), "secret");
    writeFileSync(join(root, "notes", "a.md"), "");
    symlinkSync(join(at, "out", "secret"), join(root, "file-link"));
    symlinkSync("../out", join(root, "folder-link"));
    symlinkSync("notes", join(root, "good-link"));
    symlinkSync("folder-link", join(root, "twice"));
    for (const path of ["file-link", "folder-link", "folder-link/secret", "folder-link/new/file", "twice/new"])
      assert.is(await codeOf(inside(realFiles, root, path)), "forbidden", path);
    assert.is((await inside(realFiles, root, "good-link/a.md")).name, "notes/a.md");
    assert.is((await inside(realFiles, root, "good-link/new.md")).path, join(root, "notes", "new.md"));
    // A workspace that is a link itself may be named either way.
    symlinkSync(root, join(at, "link-to-ws"));
    assert.is((await inside(realFiles, join(at, "link-to-ws"), join(at, "link-to-ws", "notes"))).name, "notes");
    assert.is((await inside(realFiles, join(at, "link-to-ws"), join(root, "notes"))).name, "notes");
    // Swapped after it was found.
    const place = await inside(realFiles, root, "notes/a.md");
    rmSync(join(root, "notes", "a.md"));
    symlinkSync(join(at, "out", "secret"), join(root, "notes", "a.md"));
    assert.is(await codeOf(stillInside(realFiles, place)), "forbidden");
  } finally {
    rmSync(at, { recursive: true, force: true });
  }
});

test("threat M a name with a backslash in it is never taken for two", async () => {
  const files = {
    ...disk,
    realPath: async (path: string) => (path.endsWith("/l") ? `/tmp/x\\..\\..${folder}/a` : path),
  };
  assert.is(await codeOf(inside(files, folder, "l")), "forbidden");
});

test.run();
