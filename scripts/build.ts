// Builds what is shipped.
//   npm run build                                    the npm package in dist/
//   npm run build -- --binary                        and release/: an executable for this machine
//   npm run build -- --binary --targets all          for every target (or a list: linux-x64,windows-x64)
import { mkdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import mri from "mri";
import { billOfMaterials, thirdPartyNotices } from "./build/bill.ts";
import { binaryName, checksums, compile, here, targets } from "./build/binary.ts";
import { bundledIntoBinary } from "./build/bundled.ts";
import { commitHere } from "./build/commit.ts";
import { learnOrder } from "./build/order.ts";
import { buildPackage, libraries, packedSize } from "./build/package.ts";
import { writeTypes } from "./build/types.ts";

const options = mri(process.argv.slice(2), { boolean: ["binary", "help"], string: ["targets"] });
const commit = commitHere();

await buildPackage("dist", commit);
await writeTypes("dist", libraries);
const { files, packed, unpacked } = await packedSize();
print(`dist/  ${files} files, ${kilobytes(packed)} packed, ${kilobytes(unpacked)} unpacked, no dependencies`);

if (options["binary"]) {
  const asked = String(options["targets"] || here());
  const names = asked === "all" ? Object.keys(targets) : asked.split(",");
  rmSync("release", { recursive: true, force: true });
  mkdirSync("release");
  const parts = await bundledIntoBinary();
  writeFileSync("release/THIRD-PARTY.txt", thirdPartyNotices(parts));
  writeFileSync("release/clawlet.cdx.json", billOfMaterials(parts, { type: "application", commit }));
  const order = await learnOrder(".test", { commit, page: "dist/page" });
  for (const name of names) {
    const file = `release/${binaryName(name)}`;
    await compile({ target: name, file, commit, page: "dist/page", order });
    print(`${file}  ${(statSync(file).size / 1e6).toFixed(1)} MB`);
  }
  writeFileSync("release/SHA256SUMS", checksums("release"));
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(0)} KB`;
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
