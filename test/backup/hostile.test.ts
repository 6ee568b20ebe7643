import { test } from "uvu";
import * as assert from "uvu/assert";
import { readBackup } from "../../src/backup/read-backup.ts";
import { tarHeader, tarPadding } from "../../src/backup/tar.ts";
import { sha256Hex } from "../../src/kit/ids.ts";
import { createMemoryFiles } from "../support/memory-files.ts";

const encode = (text: string) => new TextEncoder().encode(text);
const root = "backup";
const good = `${root}/payload/state/a.json`;

test("an archive that keeps the rules is read", async () => {
  const { manifest, bytes } = await read(await archive([[good, "{}"]]));
  assert.is(manifest.files.length, 1);
  assert.is(bytes, 2);
});

for (const [what, path] of [
  ["an absolute path", "/etc/passwd"],
  ["a path that goes up", `${root}/payload/state/../../../../etc/passwd`],
  ["a path that goes up at once", "../outside"],
  ["a Windows path", "C:/Windows/x"],
  ["a backslash", `${root}\\payload\\state\\x`],
  ["a control character", `${root}/payload/state/a\u0007b`],
  ["an empty part", `${root}/payload//state/x`],
  ["a long name", `${root}/payload/state/${"x".repeat(300)}`],
  ["a deep path", `${root}/${"d/".repeat(80)}x`],
] as const)
  test(`threat M: ${what} in an archive is refused`, async () => {
    await refused(
      await archive([
        [good, "{}"],
        [path, "x"],
      ]),
      /leads astray/,
    );
  });

for (const [type, what] of [
  ["1", "link"],
  ["2", "link"],
  ["3", "device"],
  ["6", "kind"],
] as const)
  test(`threat M: an entry of type ${type} (${what}) is refused`, async () => {
    const link = tarHeader(`${root}/payload/state/link`, { size: 0, mode: 0o777, modifiedAt: 0 });
    await refused(await packed([retyped(link, type), ...(await entries([[good, "{}"]]))]), new RegExp(what));
  });

test("threat M: the same path twice is refused", async () => {
  await refused(
    await archive([
      [good, "{}"],
      [good, "{}"],
    ]),
    /twice/,
  );
});

test("a file that the manifest does not name is refused, and one that is missing is told", async () => {
  const listed: readonly Named[] = [[good, "{}"]];
  await refused(
    await archive([...listed, [`${root}/payload/state/b.json`, "x"]], listed),
    /not in the archive's manifest/,
  );
  await refused(await archive([], listed), /a\.json is missing/);
});

test("a byte that changed is found", async () => {
  await refused(await archive([[good, "{!"]], [[good, "{}"]]), /not what it was/);
});

test("an archive without a manifest, with two, or with one that is not ours is refused", async () => {
  await refused(await packed(await entries([[good, "{}"]])), /no manifest/);
  const manifest = await manifestOf([]);
  await refused(
    await packed(
      await entries([
        [`${root}/manifest.json`, manifest],
        ["other/manifest.json", manifest],
      ]),
    ),
    /more than one|not in backup/,
  );
  await refused(await packed(await entries([[`${root}/manifest.json`, "{}"]])), /not one that this program wrote/);
});

test("threat M: a manifest that lists a path which leads astray is refused", async () => {
  const manifest = (await manifestOf([[good, "{}"]])).replace(good, "../../etc/passwd");
  await refused(
    await packed(
      await entries([
        [good, "{}"],
        [`${root}/manifest.json`, manifest],
      ]),
    ),
    /not one that/,
  );
});

test("threat H: an archive that swells beyond measure is refused before it is unpacked", async () => {
  const zeros = "\0".repeat(8 * 1024 * 1024);
  await refused(await archive([[`${root}/payload/state/zeros`, zeros]]), /unpacks to more than/, 1024 ** 2);
});

test("an archive that was cut off, or is no archive, is told so", async () => {
  const whole = await archive([[good, "{}".repeat(5000)]]);
  await refused(whole.subarray(0, whole.length - 30), /damaged/);
  await refused(encode("this is not gzip, whatever its name says"), /damaged/);
  const tar = await gzip([encode("x".repeat(512))]);
  await refused(tar, /damaged/);
});

test("a long path, and one with letters beyond ASCII, are read as they were written", async () => {
  const long = `${root}/payload/state/${"ordner-".repeat(20)}/ümläut-${"é".repeat(40)}.json`;
  const { manifest } = await read(await archive([[long, "{}"]]));
  assert.is(manifest.files[0]?.path, long);
});

type Named = readonly [path: string, text: string];

async function archive(files: readonly Named[], listed: readonly Named[] = files): Promise<Uint8Array> {
  return packed(await entries([...files, [`${root}/manifest.json`, await manifestOf(listed)]]));
}

async function manifestOf(files: readonly Named[]): Promise<string> {
  const rows = files.map(async ([path, text]) => ({
    path,
    size: encode(text).length,
    sha256: await sha256Hex(encode(text)),
  }));
  // What leads astray is refused before anybody looks at the manifest; it needs to be one all the same.
  const fit = (await Promise.all(rows)).filter(({ path }) => path.startsWith(`${root}/payload/state/`));
  return JSON.stringify({
    schemaVersion: 1,
    createdAt: "2026-01-01T00:00:00.000Z",
    archiveRoot: root,
    runtimeVersion: "0",
    platform: "linux",
    options: { includeWorkspace: true, onlyConfig: false },
    assets: [{ kind: "state", sourcePath: "/home/me/.openclaw", archivePath: `${root}/payload/state` }],
    files: fit,
    skipped: [],
  });
}

async function entries(files: readonly Named[]): Promise<readonly Uint8Array<ArrayBuffer>[]> {
  return files.flatMap(([path, text]) => {
    const bytes = encode(text);
    const header = tarHeader(path, { size: bytes.length, mode: 0o600, modifiedAt: 0 });
    return [header, bytes, new Uint8Array(tarPadding(bytes.length))];
  });
}

async function packed(parts: readonly Uint8Array<ArrayBuffer>[]): Promise<Uint8Array> {
  return gzip([...parts, new Uint8Array(1024)]);
}

async function gzip(parts: readonly Uint8Array<ArrayBuffer>[]): Promise<Uint8Array> {
  const stream = new Blob([...parts]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** The header as one of another kind of entry. */
function retyped(header: Uint8Array<ArrayBuffer>, type: string): Uint8Array<ArrayBuffer> {
  const block = header.slice();
  block.set(encode(type), 156);
  block.set(encode(" ".repeat(8)), 148);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.set(encode(`${sum.toString(8).padStart(6, "0")}\0 `), 148);
  return block;
}

async function read(bytes: Uint8Array, freeBytes?: number) {
  const files = createMemoryFiles();
  files.put("/a.tar.gz", "");
  const file = await files.open("/a.tar.gz");
  await file.append(bytes);
  return readBackup(files, "/a.tar.gz", freeBytes === undefined ? {} : { freeBytes });
}

async function refused(bytes: Uint8Array, why: RegExp, freeBytes?: number): Promise<void> {
  let message = "it was read";
  try {
    await read(bytes, freeBytes);
  } catch (error) {
    message = String(error);
  }
  assert.match(message, why);
}

test.run();
