import { readdirSync, readFileSync } from "node:fs";
import type { Part } from "./bundled.ts";

const product = JSON.parse(readFileSync("package.json", "utf8"));

export interface Product {
  readonly type: "application" | "library";
  readonly commit: string | undefined;
}

/** The software bill of materials, CycloneDX 1.6 JSON. The same parts give the same text, whenever it is made. */
export function billOfMaterials(parts: readonly Part[], { type, commit }: Product): string {
  const root = purl(product);
  const refs = new Map(parts.map((part) => [part.name, purl(part)]));
  const needed = (names: readonly string[]) => names.flatMap((name) => refs.get(name) ?? []);
  const bill = {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: {
      component: {
        type,
        "bom-ref": root,
        name: product.name,
        version: product.version,
        description: product.description,
        licenses: [{ license: { id: product.license } }],
        purl: root,
        ...(commit === undefined ? {} : { properties: [{ name: "clawlet:commit", value: commit }] }),
      },
    },
    components: parts.map(component),
    dependencies: [
      { ref: root, dependsOn: [...refs.values()] },
      ...parts.map((part) => ({ ref: purl(part), dependsOn: needed(part.dependencies) })),
    ],
  };
  return `${JSON.stringify(bill, undefined, 2)}\n`;
}

/** The licences of everything that is bundled, word for word: MIT and its like ask for no more, and no less. */
export function thirdPartyNotices(parts: readonly Part[]): string {
  const head = "This program contains the work of others, under these licences.\n";
  const each = parts.map(
    (part) => `${"-".repeat(80)}\n${part.name} ${part.version} (${part.license})\n\n${licence(part)}\n`,
  );
  return [head, ...each].join("\n");
}

function component(part: Part): object {
  const [, group, name] = /^(?:(@[^/]+)\/)?(.+)$/.exec(part.name) ?? [];
  const hash = /^sha512-(.+)$/.exec(part.integrity ?? "")?.[1];
  return {
    type: part.name === "bun" ? "platform" : "library",
    "bom-ref": purl(part),
    ...(group === undefined ? {} : { group }),
    name,
    version: part.version,
    ...(hash === undefined
      ? {}
      : { hashes: [{ alg: "SHA-512", content: Buffer.from(hash, "base64").toString("hex") }] }),
    licenses: [{ license: { id: part.license } }],
    purl: purl(part),
    ...(part.resolved === undefined ? {} : { externalReferences: [{ type: "distribution", url: part.resolved }] }),
  };
}

function purl({ name, version }: { name: string; version: string }): string {
  return `pkg:npm/${name.replace("@", "%40")}@${version}`;
}

/** The text as the package has it. Bun's has none beside it: its licences are told where its source is. */
function licence({ folder, name, version }: Part): string {
  if (name === "bun")
    return `The runtime, unchanged, with the libraries that it contains (JavaScriptCore under LGPL-2.1 among them):
https://github.com/oven-sh/bun/blob/bun-v${version}/LICENSE.md`;
  const file = readdirSync(folder).find((entry) => /^(licen[cs]e|copying)(\.(md|txt))?$/i.test(entry));
  if (file === undefined) throw new Error(`${folder} has no file with its licence: it cannot be shipped as it is`);
  return readFileSync(`${folder}/${file}`, "utf8").trim();
}
