import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Files } from "../../src/host/host.ts";

/** What files are, for the real ones and the scripted ones. `folder` makes an empty folder of its own. */
export function filesContract(name: string, files: Files, folder: () => Promise<string>): void {
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

  test(`${name}: what is not there is undefined, or an empty list`, async () => {
    const path = `${await folder()}/missing`;
    assert.is(await files.read(path), undefined);
    assert.is(await files.stat(path), undefined);
    assert.is(await files.realPath(path), undefined);
    assert.equal(await files.list(path), []);
    await files.remove(path);
  });

  test(`${name}: threat S: a written file has mode 0600 unless told otherwise, also when it replaces one`, async () => {
    const path = `${await folder()}/a`;
    await files.write(path, "open", { mode: 0o644 });
    assert.is((await files.stat(path))?.mode, 0o644);
    await files.write(path, "closed");
    assert.is((await files.stat(path))?.mode, 0o600);
    assert.is(await files.read(path), "closed");
  });

  test(`${name}: replacing a file makes another one of the same name, and leaves nothing beside it`, async () => {
    const at = await folder();
    await files.write(`${at}/a`, "1");
    const before = await files.stat(`${at}/a`);
    await files.write(`${at}/a`, "2");
    assert.is.not((await files.stat(`${at}/a`))?.inode, before?.inode);
    assert.equal(await files.list(at), ["a"]);
  });

  test(`${name}: create makes a file once`, async () => {
    const path = `${await folder()}/a`;
    assert.is(await files.create(path, "first"), true);
    assert.is(await files.create(path, "second"), false);
    assert.is(await files.read(path), "first");
  });

  test(`${name}: of many that create at once, one does`, async () => {
    const path = `${await folder()}/a`;
    const answers = await Promise.all(Array.from({ length: 20 }, (_, index) => files.create(path, String(index))));
    assert.is(answers.filter(Boolean).length, 1);
    assert.is(await files.read(path), String(answers.indexOf(true)));
  });

  test(`${name}: nobody sees a part of what create makes`, async () => {
    const at = await folder();
    const text = "x".repeat(2_000_000);
    const done = new AbortController();
    const creating = files.create(`${at}/a`, text).finally(() => done.abort());
    const seen = new Set<number | undefined>();
    while (!done.signal.aborted) seen.add((await files.read(`${at}/a`))?.length);
    await creating;
    assert.equal(
      [...seen].filter((length) => length !== undefined && length !== text.length),
      [],
    );
    assert.equal(await files.list(at), ["a"]);
  });

  test(`${name}: what is appended is read through the same handle`, async () => {
    const file = await files.open(`${await folder()}/log`);
    await file.append("0123456789");
    assert.is(decode(await file.read(2, 5)), "234");
    assert.is(decode(await file.read(8, 100)), "89");
    assert.is((await file.read(50, 60)).length, 0);
    await file.close();
  });

  test(`${name}: appends follow each other and count bytes`, async () => {
    const path = `${await folder()}/log`;
    const file = await files.open(path);
    await file.append("é\n", { flush: true });
    await file.append("b\n");
    assert.is(file.size, 5);
    await file.close();
    const again = await files.open(path);
    assert.is(again.size, 5);
    await again.append("c");
    await again.close();
    assert.is(await files.read(path), "é\nb\nc");
    assert.is((await files.stat(path))?.mode, 0o600);
  });

  test(`${name}: bytes are appended as they are`, async () => {
    const path = `${await folder()}/log`;
    const file = await files.open(path);
    await file.append(Uint8Array.of(0xff, 0, 0x80), { flush: true });
    assert.equal([...(await file.read(0, 10))], [0xff, 0, 0x80]);
    await file.close();
  });

  test(`${name}: a file that is opened to be read stays that file, whatever takes its name`, async () => {
    const path = `${await folder()}/a`;
    assert.is(await files.openRead(path), undefined);
    await files.write(path, "0123456789");
    const file = await files.openRead(path);
    await files.write(path, "another");
    assert.is(file?.stat.size, 10);
    assert.is(decode((await file?.read(2, 5)) ?? new Uint8Array(0)), "234");
    assert.is((await file?.read(8, 100))?.length, 2);
    await file?.close();
  });

  test(`${name}: a folder is not opened to be read`, async () => {
    const path = await folder();
    let failed = false;
    await files.openRead(path).catch(() => (failed = true));
    assert.ok(failed);
  });

  test(`${name}: a range is cut at the end of the file`, async () => {
    const path = `${await folder()}/a`;
    await files.write(path, "0123456789");
    assert.is(decode(await files.readRange(path, 2, 5)), "234");
    assert.is(decode(await files.readRange(path, 8, 100)), "89");
    assert.is((await files.readRange(path, 50, 60)).length, 0);
  });

  test(`${name}: truncate cuts`, async () => {
    const path = `${await folder()}/a`;
    await files.write(path, "0123456789");
    await files.truncate(path, 4);
    assert.is(await files.read(path), "0123");
  });

  test(`${name}: folders are made with their parents, for the owner alone, and removed whole`, async () => {
    const at = await folder();
    await files.makeFolder(`${at}/x/y`);
    await files.makeFolder(`${at}/x/y`);
    await files.write(`${at}/x/y/a`, "1");
    assert.is((await files.stat(`${at}/x/y`))?.mode, 0o700);
    assert.is((await files.stat(`${at}/x`))?.kind, "folder");
    await files.remove(`${at}/x`);
    assert.equal(await files.list(at), []);
  });

  test(`${name}: a renamed file keeps its identity`, async () => {
    const at = await folder();
    await files.write(`${at}/a`, "1");
    const before = await files.stat(`${at}/a`);
    await files.rename(`${at}/a`, `${at}/b`);
    assert.is((await files.stat(`${at}/b`))?.inode, before?.inode);
    assert.is(await files.read(`${at}/a`), undefined);
  });

  test(`${name}: writing where there is no folder rejects`, async () => {
    const path = `${await folder()}/no/folder/a`;
    const failed = await files.write(path, "x").then(
      () => false,
      () => true,
    );
    assert.ok(failed);
  });
}
